// The server, or the reader, goes away and comes back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, gone, live, shown } from "./support/browser.mjs";
import { Programs } from "./support/programs.mjs";

let programs, browser, olga;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start({ hosts: 2 }), Browser.start()]);
    olga = await Admin.signIn(programs);
});
after(() => Promise.all([browser?.end(), programs?.end()]));

test("a lost connection is told, and when it is back the page has caught up by itself", async () => {
    await olga.addHost("first", programs.urls[0], { capacity: 1 });
    await olga.free(1);
    await browser.tell(programs, { as: olga, away: true }, async (page) => {
        await page.goto("/");
        await live(page);
        await page.evaluate(() => (window.sameDocument = true));
        const inUse = page.locator("a.figure", { has: page.getByText("In use", { exact: true }) }).locator("strong");
        await shown(inUse.filter({ hasText: /^0$/ }));
        await programs.operators.end("SIGKILL");
        await shown(page.locator("#connection", { hasText: "The connection to the server is lost" }));
        // What happens meanwhile nobody tells the page.
        await olga.lease(programs, "alice", { look: false });
        await programs.startAdmin();
        await shown(page.locator("#connection", { hasText: "The connection is back" }));
        await shown(inUse.filter({ hasText: /^1$/ }));
        await gone(page.locator("#connection .alert"));
        assert.ok(await page.evaluate(() => window.sameDocument), "the page is still the same document");
    });
});

test("a reader who was off the network is told so, and catches up when she is back", () =>
    browser.tell(programs, { as: olga, away: true }, async (page, context) => {
        await page.goto("/hosts");
        await live(page);
        await page.evaluate(() => (window.sameDocument = true));
        await context.setOffline(true);
        await olga.addHost("meanwhile", programs.urls[1], { capacity: 1 });
        await shown(page.locator("#connection", { hasText: "The connection to the server is lost" }));
        assert.equal(await page.getByRole("link", { name: "meanwhile", exact: true }).count(), 0);
        await context.setOffline(false);
        await shown(page.getByRole("link", { name: "meanwhile", exact: true }));
        await shown(page.locator("#connection", { hasText: "The connection is back" }));
        assert.ok(await page.evaluate(() => window.sameDocument), "the page is still the same document");
    }));
