// The server goes away and comes back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, gone, live, shown } from "./support/browser.mjs";
import { Programs } from "./support/programs.mjs";

let programs, browser, olga;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start(), Browser.start()]);
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
