// Admin's JSON API, for what a story needs before it begins and is not about.
import { Programs } from "./programs.mjs";
import { until } from "./until.mjs";

export class Admin {
    static async signIn(programs, username = Programs.username, password = Programs.password) {
        const admin = new Admin();
        admin.at = programs.admin;
        const signedIn = await admin.call("POST", "/api/v1/session", { username, password });
        admin.csrf = signedIn.csrf_token;
        return admin;
    }

    async call(method, path, body) {
        const headers = { "Content-Type": "application/json" };
        if (this.cookie) headers.Cookie = this.cookie;
        if (this.csrf) headers["X-CSRF-Token"] = this.csrf;
        const answer = await fetch(this.at + path, { method, headers, body: body && JSON.stringify(body) });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("pm_session="));
        if (cookie) this.cookie = cookie.split(";")[0];
        return text ? JSON.parse(text) : undefined;
    }

    /// The session, as a browser keeps it.
    get cookies() {
        const [name, value] = this.cookie.split("=");
        return [{ name, value, url: this.at, httpOnly: true, sameSite: "Lax" }];
    }

    addHost(name, url, settings = {}) {
        return this.call("POST", "/api/v1/hosts", { name, daemon_url: url, capacity: 2, ...settings });
    }

    async clusters(query) {
        return (await this.call("GET", `/api/v1/clusters?${query}`)).items;
    }

    /// Until so many clusters are free, which are the answer.
    free(count) {
        return until(`${count} free clusters`, async () => {
            const free = await this.clusters("phase=free");
            return free.length >= count && free;
        });
    }

    /// A cluster that `user` has applied for and holds.
    async lease(programs, user, { look = true } = {}) {
        const lease = await until(`a cluster for ${user}`, async () => {
            const answer = await programs.user("apply", { user_id: user });
            return answer.status === "OK" && answer.data;
        });
        return look ? this.call("GET", `/api/v1/clusters/${lease.id}`) : lease;
    }

    /// Somebody else who may sign in, who has chosen a password already.
    async addOperator(programs, username, role) {
        const { password: once } = await this.call("POST", "/api/v1/operators", { username, role });
        const other = await Admin.signIn(programs, username, once);
        const again = await other.call("PUT", "/api/v1/session/password", { present: once, password: Programs.password });
        other.csrf = again.csrf_token;
        return other;
    }
}
