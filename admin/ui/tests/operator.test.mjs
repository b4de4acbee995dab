// An operator's day: signs in, adds a host, sees the pool fill, looks after clusters, resets the host.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, gone, live, shown } from "./support/browser.mjs";
import { freePort, Programs } from "./support/programs.mjs";
import { until } from "./support/until.mjs";

let programs, browser, olga;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start({ hosts: 2 }), Browser.start()]);
    olga = await Admin.signIn(programs);
});
after(() => Promise.all([browser?.end(), programs?.end()]));

const told = (page) => page.locator("#main .alert");
const cell = (page, row, label) => page.locator(`tr:has(a:text-is("${row}")) td[data-label="${label}"]`);
const button = (page, name) => page.getByRole("button", { name, exact: true });
const link = (page, name) => page.getByRole("link", { name, exact: true });

test("a wrong password is told, and the right one leads to the page that was asked for", () =>
    browser.tell(programs, {}, async (page) => {
        await page.goto("/hosts");
        await page.getByLabel("Name").fill(Programs.username);
        await page.getByLabel("Password").fill("not the password");
        await button(page, "Sign in").click();
        await shown(page.getByRole("alert").filter({ hasText: "The name or the password is wrong" }));
        assert.equal(await page.getByLabel("Name").inputValue(), Programs.username, "the name is still there");
        await page.getByLabel("Password").fill(Programs.password);
        await button(page, "Sign in").click();
        await shown(page.getByRole("heading", { name: "Hosts" }));
        assert.equal(new URL(page.url()).pathname, "/hosts");
    }));

test("a host that does not answer is refused, with the reason at the field and what was typed kept", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        const nowhere = `tcp://127.0.0.1:${await freePort()}`;
        await page.goto("/");
        await link(page, "Add a host").first().click();
        await page.getByLabel("Name").fill("first");
        await page.getByLabel("Daemon URL").fill(nowhere);
        await button(page, "Add the host").click();
        await shown(page.getByRole("alert").filter({ hasText: "The host was not added" }));
        const field = page.getByLabel("Daemon URL");
        await shown(page.locator("#daemon_url-error").filter({ hasText: "connection refused" }));
        assert.match(await field.getAttribute("aria-describedby"), /daemon_url-error/);
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        assert.equal(await field.inputValue(), nowhere);
        assert.equal(await page.getByLabel("Name").inputValue(), "first");
        assert.ok(await field.evaluate((element) => element === document.activeElement), "the keyboard is at what is wrong");
    }));

test("what looks like markup is refused as a host's name, and shown as the text that it is", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        const name = `"><script>alert(1)</script>`;
        await page.goto("/hosts/new");
        await page.getByLabel("Name").fill(name);
        await page.getByLabel("Daemon URL").fill(programs.urls[0]);
        await button(page, "Add the host").click();
        await shown(page.locator("#name-error"));
        assert.equal(await page.getByLabel("Name").inputValue(), name);
        assert.equal(await page.locator("main script").count(), 0);
    }));

test("a host is added, and the overview shows its pool fill without being loaded again", () =>
    browser.tell(programs, { as: olga }, async (page, context) => {
        const overview = await context.newPage();
        await overview.goto("/");
        await live(overview);
        await overview.evaluate(() => (window.sameDocument = true));
        await page.goto("/hosts/new");
        await page.getByLabel("Name").fill("first");
        await page.getByLabel("Daemon URL").fill(programs.urls[0]);
        await page.getByLabel("Capacity").fill("3");
        await button(page, "Add the host").dblclick();
        await shown(page.getByRole("heading", { name: "first", exact: true }));
        const free = overview.locator("a.figure", { has: overview.getByText("Free", { exact: true }) }).locator("strong");
        await shown(free.filter({ hasText: /^3$/ }));
        await gone(overview.locator(".filling"));
        assert.ok(await overview.evaluate(() => window.sameDocument), "the page is still the same document");
        await shown(page.locator('a[href^="/clusters/"]', { hasText: "first_2" }));
        const hosts = await olga.call("GET", "/api/v1/hosts");
        assert.equal(hosts.items.length, 1, "two clicks add one host");
    }));

test("a cluster is created of a flavor on a chosen host, once, and its page shows it become free", async () => {
    const second = await olga.addHost("second", programs.urls[1], { autofill: false });
    await browser.tell(programs, { as: olga }, async (page) => {
        await page.goto("/clusters");
        await link(page, "Create a cluster").click();
        await page.getByLabel("Flavor").selectOption("fabric-0.6-noops-4");
        await page.getByLabel("Host").selectOption(second.id);
        await button(page, "Create the cluster").dblclick();
        await shown(page.getByRole("heading", { name: /^second_\d+$/ }));
        await shown(page.locator("dd .state", { hasText: /^free$/ }));
        const made = await olga.clusters(`host=${second.id}`);
        assert.deepEqual(made.map((cluster) => cluster.flavor), ["fabric-0.6-noops-4"]);
    });
});

test("a leased cluster is stopped, started, restarted and released, and a user's name is shown as the text that it is", async () => {
    const user = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
    const cluster = await olga.lease(programs, user);
    await browser.tell(programs, { as: olga }, async (page) => {
        await page.goto("/clusters?type=inused");
        await shown(cell(page, cluster.name, "User").filter({ hasText: user }));
        await link(page, cluster.name).click();
        await shown(page.getByRole("heading", { name: cluster.name, exact: true }));
        await shown(page.locator("dd", { hasText: user }));
        await live(page);
        const running = (text) => page.locator('td[data-label="State"] .state', { hasText: text });

        assert.equal(await button(page, "Start all").count(), 0, "all run");
        await button(page, "Stop all …").click();
        await shown(page.getByRole("heading", { name: `Stop ${cluster.name}?` }));
        await shown(page.locator("strong", { hasText: user }));
        await button(page, `Stop ${cluster.name}`).click();
        await until("all nodes to be shown as stopped", async () => (await running(/exited|stopped/).count()) === 4);
        await shown(page.locator("dd .state", { hasText: /^stopped$/ }));
        await button(page, "Start all").click();
        await until("all nodes to be shown as running", async () => (await running("running").count()) === 4);
        await button(page, "Restart vp0 …").click();
        await button(page, "Restart vp0").dblclick();
        const asked = page.locator('tr:has(th:text-is("vp0")) td[data-label="Restarts asked"]');
        await shown(asked.filter({ hasText: /^1$/ }));
        await until("all nodes to be shown as running", async () => (await running("running").count()) === 4);

        await link(page, "Release").click();
        await shown(page.getByRole("heading", { name: `Release ${cluster.name}?` }));
        await shown(page.locator("strong", { hasText: user }));
        await button(page, `Release ${cluster.name}`).click();
        await shown(page.getByRole("heading", { name: `Cluster ${cluster.name} is gone` }));
        await shown(page.locator(".gone strong", { hasText: user }));
        assert.ok(!(await page.locator("#logs").isVisible()), "there is no log any more");
        await page.goto("/clusters?type=released");
        await shown(page.locator("tr", { hasText: user }));
        assert.equal(await page.locator("#main img, #main script").count(), 0);
    });
});

test("the log of a node is followed as it is written, and another node's when it is chosen", async () => {
    const [cluster] = await olga.free(1);
    const [first, other] = cluster.nodes;
    const host = cluster.host_name === "first" ? 0 : 1;
    const print = (node, text) => programs.control(host, "POST", `/_sim/containers/${node.container}/print`, { text });
    await browser.tell(programs, { as: olga }, async (page) => {
        const asked = [];
        page.on("request", (request) => request.url().includes("/logs?follow") && asked.push(request.url()));
        await page.goto(`/clusters/${cluster.id}`);
        await live(page);
        assert.deepEqual(asked, [], "a log that nobody looks at is not followed");
        await page.locator("#logs").scrollIntoViewIfNeeded();
        await shown(page.locator(".logstate", { hasText: "Following" }));
        await print(first, "block 42 <b>is</b> written");
        await shown(page.getByRole("log").getByText("block 42 <b>is</b> written"));
        await button(page, "Pause").click();
        await print(first, "written while paused");
        await shown(page.locator(".logstate", { hasText: "1 new line" }));
        assert.equal(await page.getByText("written while paused").count(), 0);
        await button(page, "Resume").click();
        await shown(page.getByRole("log").getByText("written while paused"));
        await page.getByRole("navigation", { name: "Whose log" }).getByText(other.name, { exact: true }).click();
        await shown(page.locator(".logstate", { hasText: "Following" }));
        await print(other, "said by another node");
        await shown(page.getByRole("log").getByText("said by another node"));
        assert.equal(await page.getByText("block 42").count(), 0);
    });
});

test("a reset asks for the host's name, and makes everything on it anew", async () => {
    const host = (await olga.call("GET", "/api/v1/hosts")).items.find((one) => one.name === "first");
    const before = (await olga.clusters(`host=${host.id}`)).map((cluster) => cluster.id);
    await browser.tell(programs, { as: olga }, async (page) => {
        await page.goto(`/hosts/${host.id}`);
        await link(page, "Reset …").click();
        await page.getByLabel("Name of the host").fill("frist");
        await button(page, "Reset first").click();
        await shown(page.locator("#confirm-error"));
        await page.getByLabel("Name of the host").fill("first");
        await button(page, "Reset first").click();
        await shown(page.getByRole("heading", { name: "first", exact: true }));
        await until("other clusters than before, all free", async () => {
            const now = await olga.clusters(`host=${host.id}&phase=free`);
            return now.length === 3 && now.every((cluster) => !before.includes(cluster.id));
        });
        await gone(page.locator("#live .filling"));
        await until("three free clusters to be shown", async () => (await page.locator("#live tr .state", { hasText: /^free$/ }).count()) === 3);
    });
});

test("a viewer chooses a password at her first sign-in, and sees no buttons of operators", async () => {
    const { password: once } = await olga.call("POST", "/api/v1/operators", { username: "vera", role: "viewer" });
    const [cluster] = await olga.free(1);
    await browser.tell(programs, {}, async (page) => {
        await page.goto("/");
        await page.getByLabel("Name").fill("vera");
        await page.getByLabel("Password").fill(once);
        await button(page, "Sign in").click();
        await shown(page.getByRole("heading", { name: "Choose a password" }));
        await page.getByLabel("Present password").fill(once);
        await page.getByLabel("New password (needed)", { exact: true }).fill(Programs.password);
        await page.getByLabel("New password again").fill(Programs.password);
        await button(page, "Change it").click();
        await shown(page.getByRole("navigation", { name: "Main" }));
        for (const path of ["/", "/hosts", `/hosts/${cluster.host_id}`, "/clusters", `/clusters/${cluster.id}`]) {
            await page.goto(path);
            await shown(page.locator("#live"));
            assert.equal(await page.locator("#live form, #main .head a.btn, #main a.btn-danger").count(), 0, `${path} offers a viewer what only operators may do`);
        }
        const answer = await page.goto("/hosts/new");
        assert.equal(answer.status(), 403);
        await shown(page.getByRole("heading", { level: 1 }));
    });
});
