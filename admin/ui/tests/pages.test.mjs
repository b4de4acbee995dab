// Every page in both themes, wide and narrow: axe finds nothing, nothing sticks out, and a picture of each is kept.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, NARROW, WIDE } from "./support/browser.mjs";
import { Programs } from "./support/programs.mjs";
import { until } from "./support/until.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let programs, browser, olga, vera;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start({ hosts: 3 }), Browser.start()]);
    olga = await Admin.signIn(programs);
    vera = await olga.addOperator(programs, "vera", "viewer");
});
after(() => Promise.all([browser?.end(), programs?.end()]));

async function faults(page) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run());
    return found.violations.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => `${node.html} (${node.failureSummary})`).slice(0, 3).join(" | ")}`);
}

/// A small phone, a tablet upright and on its side, and a laptop.
const WIDTHS = [320, 768, 1024, 1280];

/// What is wider than the window, on a page that can be moved sideways; and lists of which a part is out of sight.
function stickingOut() {
    const width = document.documentElement.clientWidth;
    const cut = [...document.querySelectorAll(".scroll")].filter((list) => list.checkVisibility({ contentVisibilityAuto: true }) && list.scrollWidth > list.clientWidth + 1);
    const out = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > width + 1);
    const found = document.documentElement.scrollWidth > width ? [...cut, ...out] : cut;
    return found.map((element) => `${Math.round(element.getBoundingClientRect().width)} px: ${element.outerHTML.slice(0, 160)}`);
}

/// Looks at a page in every way and tells all that is wrong with it at once. `open` leads to it.
async function look(name, as, open) {
    await browser.tell(programs, { as }, async (page) => {
        const wrong = [];
        await open(page);
        await page.locator("h1").first().waitFor();
        for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
            await page.setViewportSize(viewport);
            for (const colorScheme of ["light", "dark"]) {
                await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
                await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${size}-${colorScheme}.png`, fullPage: true, animations: "disabled" });
                // Each theme and each width once: what axe looks at does not depend on both together.
                if ((size === "wide") === (colorScheme === "light")) for (const fault of await faults(page)) wrong.push(`${size}, ${colorScheme}: ${fault}`);
            }
        }
        await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
        for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 900 });
            if (width === 768) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-tablet-light.png`, fullPage: true, animations: "disabled" });
            for (const element of await page.evaluate(stickingOut)) wrong.push(`${width} wide: sticks out: ${element}`);
        }
        assert.deepEqual(wrong, [], name);
    });
}

const at = (path) => (page) => page.goto(path);

/// One test for each page, which begins when all is there that it shows.
async function lookAtAll(t, pages) {
    for (const [name, path, as] of pages) {
        await t.test(name, () => look(name, as === undefined ? olga : as, typeof path === "string" ? at(path) : path));
    }
}

test("pages of an empty pool", (t) =>
    lookAtAll(t, [
        ["login", "/login", null],
        ["login-wrong", async (page) => {
            await page.goto("/login");
            await page.getByLabel("Name").fill("olga");
            await page.getByLabel("Password").fill("wrong");
            await page.getByRole("button", { name: "Sign in" }).click();
            await page.getByRole("alert").waitFor();
        }, null],
        ["empty-overview", "/"],
        ["empty-hosts", "/hosts"],
        ["empty-clusters", "/clusters"],
        ["empty-tokens", "/access/tokens"],
        ["host-new", "/hosts/new"],
        ["host-new-refused", async (page) => {
            await page.goto("/hosts/new");
            await page.getByLabel("Name").fill("<script>");
            await page.getByLabel("Daemon URL").fill("tcp://127.0.0.1:1");
            await page.getByRole("button", { name: "Add the host" }).click();
            await page.locator(".error").first().waitFor();
        }],
        ["hosts-many", "/hosts/many"],
    ]));

test("pages of a pool that is used", async (t) => {
    const [first, second] = [await olga.addHost("rack1-01", programs.urls[0], { capacity: 4 }), await olga.addHost("rack1-02", programs.urls[1])];
    const third = await olga.addHost("rack1-03", programs.urls[2], { capacity: 1 });
    await olga.free(7);
    const lease = await olga.lease(programs, "alice");
    const returned = await olga.lease(programs, "bob <script>alert(1)</script>");
    await programs.user("release", { cluster_id: returned.id });
    const token = await olga.call("POST", "/api/v1/tokens", { kind: "user", user: "alice", name: "laptop", expires: "90d" });
    const operators = await olga.call("GET", "/api/v1/operators");
    const record = await until("the record", async () => (await olga.call("GET", "/api/v1/records")).items[0]);
    const broken = (await olga.clusters(`host=${first.id}&phase=free`))[0];
    await programs.control(0, "DELETE", `/containers/${broken.nodes[0].container}?force=true`);
    const failure = await until("a cluster that failed", async () => (await olga.call("GET", "/api/v1/evidence")).items[0]);
    await olga.free(5);
    await programs.control(2, "POST", "/_sim/down", { for_ms: 600_000 });
    await until("the host to be seen away", async () => (await olga.call("GET", `/api/v1/hosts/${third.id}`)).state !== "active");
    const [idle, ofIdle] = lease.host_id === first.id ? [second, 1] : [first, 0];
    await programs.control(ofIdle, "POST", "/containers/create?name=somebody-elses-registry-cache", { Image: "poolmanager/fabricsim:0.6" });
    const [halted] = await olga.clusters(`host=${second.id}&phase=free`);
    await olga.call("POST", `/api/v1/clusters/${halted.id}/stop`, {});
    // One more place, for the form that creates a cluster.
    await olga.call("PATCH", `/api/v1/hosts/${second.id}`, { capacity: 3, autofill: false });
    await lookAtAll(t, [
        ["overview", "/"],
        ["overview-viewer", "/", vera],
        ["hosts", "/hosts"],
        ["hosts-nothing-matches", "/hosts?q=nowhere"],
        ["host", `/hosts/${first.id}`],
        ["host-away", `/hosts/${third.id}`],
        ["host-configure", `/hosts/${first.id}/configure`],
        ["host-reset", `/hosts/${idle.id}/reset`],
        ["host-reset-held", `/hosts/${lease.host_id}/reset`],
        ["host-foreign", `/hosts/${idle.id}/foreign`],
        ["host-drain", `/hosts/${second.id}/drain`],
        ["host-delete", `/hosts/${second.id}/delete`],
        ["host-force", `/hosts/${first.id}/force`],
        ["host-tls", `/hosts/${second.id}/tls`],
        ["clusters", "/clusters"],
        ["clusters-in-use", "/clusters?type=inused"],
        ["clusters-released", "/clusters?type=released"],
        ["clusters-failed", "/clusters?type=failed"],
        ["clusters-refused", "/clusters?type=active&user=__SYSTEM__x&q=rack1"],
        ["clusters-existing", "/clusters?type=existing&phase=releasing,removing"],
        ["cluster-new", "/clusters/new"],
        ["cluster", `/clusters/${lease.id}`],
        ["cluster-release", `/clusters/${lease.id}/release`],
        ["cluster-stop", `/clusters/${lease.id}/stop`],
        ["cluster-stopped", `/clusters/${halted.id}`],
        ["cluster-gone", `/clusters/${returned.id}`],
        ["cluster-logs", `/clusters/${lease.id}/logs`],
        ["evidence", `/clusters/${failure.cluster_id ?? failure.id}/evidence`],
        ["record-delete", `/records/${record.id}/delete`],
        ["flavors", "/flavors"],
        ["flavor", "/flavors/fabric-0.6-pbft-batch-4"],
        ["stat", "/stat"],
        ["events", "/events"],
        ["events-filtered", "/events?actor=operator:olga&since=2026-01-31T12:00:00Z"],
        ["events-refused", "/events?since=yesterday&actor=operator:olga"],
        ["access", "/access"],
        ["access-viewer", "/access", vera],
        ["access-password", "/access/password"],
        ["access-operator-new", "/access/operators/new"],
        ["access-operator", `/access/operators/${operators.items.find((one) => one.username === "vera").id}`],
        ["tokens", "/access/tokens"],
        ["token-new", "/access/tokens/new"],
        ["token-made", async (page) => {
            await page.goto("/access/tokens/new");
            await page.getByLabel("User", { exact: true }).fill("carol");
            await page.getByRole("button", { name: "Create the token" }).click();
            await page.locator(".withcopy").waitFor();
        }],
        ["token-revoke", `/access/tokens/${token.id}/revoke`],
        ["docs", "/docs"],
        ["not-allowed", "/access/tokens", vera],
        ["not-found", "/nowhere"],
    ]);
});
