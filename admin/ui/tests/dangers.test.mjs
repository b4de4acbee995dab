// What destroys, what is shown once, and what goes wrong.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, gone, live, shown } from "./support/browser.mjs";
import { Programs } from "./support/programs.mjs";
import { until } from "./support/until.mjs";

let programs, browser, olga;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start({ hosts: 2 }), Browser.start()]);
    olga = await Admin.signIn(programs);
});
after(() => Promise.all([browser?.end(), programs?.end()]));

const button = (page, name) => page.getByRole("button", { name, exact: true });
const link = (page, name) => page.getByRole("link", { name, exact: true });
const secret = (page) => page.locator(".withcopy code");

test("a token is shown once, works, and is nowhere afterwards", () =>
    browser.tell(programs, { as: olga, permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
        await page.goto("/access/tokens/new");
        await page.getByLabel("User", { exact: true }).fill("alice");
        await page.getByLabel("Name").fill(`<script>alert("laptop")</script>`);
        const [answer] = await Promise.all([page.waitForResponse("**/access/tokens/new"), button(page, "Create the token").click()]);
        assert.match(answer.headers()["cache-control"], /no-store/, "going back does not bring it back");
        const token = await secret(page).textContent();
        assert.match(token, /^\S{20,}$/);
        await page.locator("button.copy").click();
        await shown(page.locator("#said", { hasText: "Copied" }));
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
        await page.goto("/access/tokens");
        await shown(page.locator("th", { hasText: `<script>alert("laptop")</script>` }));
        assert.ok(!(await page.content()).includes(token));
        assert.ok(!JSON.stringify(await olga.call("GET", "/api/v1/tokens")).includes(token));
    }));

test("a one-time password is shown once", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        await page.goto("/access/operators/new");
        await page.getByLabel("Name").fill("otto");
        await page.getByLabel("Role").selectOption("operator");
        await button(page, "Add").click();
        const once = await secret(page).textContent();
        await Admin.signIn(programs, "otto", once);
        await page.goto("/access");
        await link(page, "otto").click();
        await shown(page.getByRole("heading", { name: "Operator otto" }));
        assert.ok(!(await page.content()).includes(once));
    }));

test("credentials that are refused come back as far as they are public", async () => {
    const host = await olga.addHost("first", programs.urls[0], { capacity: 1 });
    await browser.tell(programs, { as: olga }, async (page) => {
        await page.goto(`/hosts/${host.id}`);
        await link(page, "Credentials").click();
        const certificate = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----";
        await page.getByLabel("CA certificate").fill(certificate);
        await page.getByLabel("Client certificate").fill(certificate);
        await page.getByLabel("Client key").fill("-----BEGIN PRIVATE KEY-----\nbm90aGluZw==\n-----END PRIVATE KEY-----");
        await button(page, "Save").click();
        await shown(page.getByRole("alert").filter({ hasText: "Nothing was changed" }));
        assert.equal(await page.getByLabel("CA certificate").inputValue(), certificate);
        assert.equal(await page.getByLabel("Client certificate").inputValue(), certificate);
        assert.equal(await page.getByLabel("Client key").inputValue(), "");
        assert.ok(!(await page.content()).includes("PRIVATE KEY-----\n"), "a key is never sent to a browser");
    });
});

test("a reset removes what is not the pool's only where it was shown, ticked and confirmed by the host's name", async () => {
    const made = async (name) => {
        const { Id } = JSON.parse(await programs.control(0, "POST", `/containers/create?name=${name}`, { Image: "poolmanager/fabricsim:0.6" }));
        await programs.control(0, "POST", `/containers/${Id}/start`);
        return Id;
    };
    await Promise.all(["goes", "stays"].map(made));
    const there = async () => JSON.parse(await programs.control(0, "GET", "/containers/json?all=true")).map((one) => one.Names[0]);
    await olga.free(1);
    const host = (await olga.call("GET", "/api/v1/hosts")).items.find((one) => one.name === "first");
    await browser.tell(programs, { as: olga }, async (page) => {
        await page.goto(`/hosts/${host.id}/reset`);
        await link(page, "see what is not PoolManager's").click();
        await page.getByLabel("Remove container stays").uncheck();
        await page.getByLabel("What is ticked may go").check();
        await page.getByLabel("Name of the host").fill("goes");
        await button(page, "Reset first and remove what is ticked").click();
        await shown(page.locator("#confirm-error"));
        assert.ok(!(await page.getByLabel("Remove container stays").isChecked()), "what was ticked is kept");
        assert.ok((await there()).includes("/goes"), "nothing went");
        await page.getByLabel("Name of the host").fill("first");
        await page.getByLabel("What is ticked may go").check();
        await button(page, "Reset first and remove what is ticked").click();
        await shown(page.getByText("Resetting host first has begun"));
        await until("the one to go", async () => !(await there()).includes("/goes"));
        await until("the host to serve again", async () => (await olga.call("GET", `/api/v1/hosts/${host.id}`)).purpose.purpose === "serve");
        assert.ok((await there()).includes("/stays"));
    });
});

test("a host that never answers again is deleted by force, and who loses what is said first", async () => {
    const host = await olga.addHost("second", programs.urls[1], { capacity: 1, autofill: true });
    await olga.free(2);
    const user = `<script>alert("u")</script>`;
    const leases = [await olga.lease(programs, user), await olga.lease(programs, "bob")];
    const held = leases.find((lease) => lease.host_id === host.id);
    const holder = held.lease?.user ?? (leases.indexOf(held) === 0 ? user : "bob");
    await programs.control(1, "POST", "/_sim/down", { for_ms: 600_000 });
    await browser.tell(programs, { as: olga }, async (page) => {
        await page.goto(`/hosts/${host.id}`);
        await live(page);
        await shown(page.locator("#main .alert", { hasText: "Not reachable" }));
        await link(page, "Delete").click();
        await link(page, "delete it by force").click();
        await shown(page.locator("li", { hasText: `${holder} loses ${held.name}` }));
        await page.getByLabel("Name of the host").fill("first");
        await button(page, "Delete second by force").click();
        await shown(page.locator("#confirm-error"));
        await page.getByLabel("Name of the host").fill("second");
        await button(page, "Delete second by force").click();
        await shown(page.getByRole("heading", { name: "Hosts", exact: true }));
        await gone(page.locator("#live").getByRole("link", { name: "second", exact: true }));
        await page.goto("/clusters?type=released");
        await shown(page.locator("tr", { hasText: holder }).filter({ hasText: "lost" }));
        assert.equal(await page.locator("#main script").count(), 0);
    });
});

test("the list of events follows what happens, is filtered by the reader's own clock, and shows text as text", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        await page.goto("/events");
        await live(page);
        await page.evaluate(() => (window.sameDocument = true));
        const host = (await olga.call("GET", "/api/v1/hosts")).items.find((one) => one.name === "first");
        await olga.call("POST", `/api/v1/hosts/${host.id}/cordon`, {});
        await shown(page.locator("#live tbody tr").first().filter({ hasText: "schedulable yes → no" }));
        assert.ok(await page.evaluate(() => window.sameDocument));
        await shown(page.getByText("(Europe/Berlin)").first());
        // In Berlin it is an hour or two later than in UTC.
        await page.getByLabel("From").fill("2026-01-31T13:00:00");
        await page.getByLabel("Asked by").fill("operator:olga");
        await button(page, "Show").click();
        await page.waitForURL(/since=/);
        assert.equal(new URL(page.url()).searchParams.get("since"), "2026-01-31T12:00:00.000Z");
        assert.match(await page.getByLabel("From").inputValue(), /^2026-01-31T13:00(:00)?$/);
        await shown(page.locator("#live tr", { hasText: "schedulable yes → no" }));
    }));

// The last one: nothing works after it.
test("when something breaks inside, the page says so in plain words, with a number that the log has", () =>
    browser.tell(programs, { as: olga, away: true }, async (page) => {
        await programs.breakStore();
        // Hosts and counts are in admin's memory, and what was read lately is in that of its SQLite.
        const lists = ["/clusters?type=released", "/clusters?type=failed", "/events", "/clusters"];
        const answer = await until("a page that cannot be served", async () => {
            for (const list of lists) {
                const answer = await page.goto(list);
                if (answer.status() === 500) return answer;
            }
            return undefined;
        });
        await shown(page.getByRole("heading", { name: "Something went wrong" }));
        const number = await page.locator(".help code").textContent();
        assert.equal(answer.headers()["x-request-id"], number);
        assert.ok(!/sqlite|malformed|disk image/i.test(await page.content()), "inner trouble is for the log");
        await until("the log to have it", async () => (await readFile(programs.operators.log, "utf8")).includes(number));
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/broken-wide-light.png`, fullPage: true });
    }));
