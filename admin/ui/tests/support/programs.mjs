// Starts the real programs for a story, on free ports and in a temporary folder of its own, and ends them.
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, open, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

const STARTS_WITHIN = 60_000;
const ENDS_WITHIN = 15_000;
/// What the simulated engines have.
const IMAGE = "poolmanager/fabricsim:0.6";

/// A port on which nothing listens now, below those that the kernel gives to outgoing connections: it is let go between
/// the kill of a program and its new start.
export async function freePort() {
    for (;;) {
        const port = randomInt(3000, 7000);
        if (await free(port)) return port;
    }
}

function free(port) {
    return new Promise((answer) => {
        const server = createServer();
        server.once("error", () => answer(false));
        server.listen(port, "127.0.0.1", () => server.close(() => answer(true)));
    });
}

/// One program under way.
class Program {
    constructor(folder, name, args, env) {
        this.name = name;
        this.log = join(folder, `${name}.log`);
        const out = createWriteStream(this.log, { flags: "a" });
        this.child = spawn(join(process.env.BIN_DIR, name), args, { env: { PATH: process.env.PATH, ...env }, stdio: ["ignore", "pipe", "pipe"] });
        this.printed = "";
        this.child.stdout.on("data", (text) => {
            this.printed += text;
            out.write(text);
        });
        this.child.stderr.on("data", (text) => out.write(text));
        this.ended = new Promise((done) => {
            this.child.once("exit", done);
            this.child.once("error", done);
        });
        this.runs = true;
        this.ended.then(() => (this.runs = false));
    }

    async ready(look) {
        try {
            await until(`${this.name} to be ready`, async () => !this.runs || look(), STARTS_WITHIN);
            if (!this.runs) throw new Error(`${this.name} ended at its start`);
        } catch (error) {
            const log = await readFile(this.log, "utf8").catch(() => "");
            throw new Error(`${error.message}; its last words:\n${log.slice(-2000)}`);
        }
    }

    /// Ends it; `signal` is how it is told. One that does not listen is made to.
    async end(signal = "SIGTERM") {
        if (!this.runs) return;
        this.child.kill(signal);
        const force = setTimeout(() => this.child.kill("SIGKILL"), ENDS_WITHIN);
        await this.ended;
        clearTimeout(force);
    }
}

async function answers(url) {
    try {
        return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
    } catch {
        return false;
    }
}

/// A store, simulated engines, an admin and an app.
export class Programs {
    static username = "olga";
    static password = "a quiet green harbour";

    /// `hosts` is how many engines there are to be added.
    static async start({ hosts = 1 } = {}) {
        const programs = new Programs();
        programs.folder = await mkdtemp(join(tmpdir(), "poolmanager-browser-"));
        try {
            await programs.#startAll(hosts);
        } catch (error) {
            await programs.end();
            throw error;
        }
        return programs;
    }

    async #startAll(hosts) {
        // A loopback network of its own, so that clusters of stories that run at the same time do not meet on a port.
        const net = `127.${randomInt(20, 220)}.${randomInt(1, 250)}`;
        const args = ["--listen", `tcp://${net}.1:0`, "--hosts", String(hosts), "--start-time", "50ms"];
        this.engines = new Program(this.folder, "simdocker", args, {});
        await this.engines.ready(() => this.urls.length === hosts);
        const adminPort = await freePort();
        this.admin = `http://127.0.0.1:${adminPort}`;
        this.adminEnv = {
            DATA_DIR: this.folder,
            FABRIC_PEER_IMAGE: IMAGE,
            ADMIN_PORT: String(adminPort),
            ADMIN_USERNAME: Programs.username,
            ADMIN_PASSWORD: Programs.password,
            POOL_MIX: "fabric-0.6-pbft-batch-4",
            SEAL_KEY: randomBytes(32).toString("hex"),
        };
        await this.startAdmin();
        const appPort = await freePort();
        this.app = `http://127.0.0.1:${appPort}`;
        this.users = new Program(this.folder, "poolmanager-app", [], { DATA_DIR: this.folder, FABRIC_PEER_IMAGE: IMAGE, APP_PORT: String(appPort), AUTH: "open" });
        await this.users.ready(() => answers(`${this.app}/readyz`));
    }

    /// Starts admin, at its beginning or again: on the same port.
    async startAdmin() {
        this.operators = new Program(this.folder, "poolmanager-admin", [], this.adminEnv);
        await this.operators.ready(() => answers(`${this.admin}/readyz`));
    }

    /// The daemon URLs of the simulated engines.
    get urls() {
        return this.engines.printed.match(/tcp:\/\/[0-9.]+:[0-9]+/g) ?? [];
    }

    /// A call to an engine's controls; `host` counts from 0.
    async control(host, method, path, body) {
        const answer = await fetch(`${this.urls[host].replace("tcp:", "http:")}${path}`, { method, body: body && JSON.stringify(body), headers: { "Content-Type": "application/json" } });
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
        return answer.text();
    }

    /// Makes the store unreadable under the programs that run: all but the beginnings of its files is noise from now on.
    async breakStore() {
        const files = (await readdir(this.folder)).filter((name) => /\.(db|sqlite)(-wal)?$/.test(name));
        for (const name of files) {
            const file = await open(join(this.folder, name), "r+");
            const { size } = await file.stat();
            const kept = name.endsWith("-wal") ? 56 : 100;
            await file.write(Buffer.alloc(Math.max(size - kept, 0), 0xa5), 0, undefined, kept);
            await file.close();
        }
    }

    /// What a user of the pool does.
    async user(action, parameters) {
        const answer = await fetch(`${this.app}/v2/cluster_op?${new URLSearchParams({ action, ...parameters })}`);
        return answer.json();
    }

    async end() {
        await Promise.all([this.users, this.operators].map((program) => program?.end()));
        await this.engines?.end();
        await rm(this.folder, { recursive: true, force: true });
    }
}
