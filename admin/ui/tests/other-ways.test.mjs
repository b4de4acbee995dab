// The main job by other ways than a mouse and scripts, and many hosts at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, live, NARROW, shown, tabTo } from "./support/browser.mjs";
import { Programs } from "./support/programs.mjs";
import { until } from "./support/until.mjs";

let programs, browser, olga;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start({ hosts: 5 }), Browser.start()]);
    olga = await Admin.signIn(programs);
});
after(() => Promise.all([browser?.end(), programs?.end()]));

const button = (page, name) => page.getByRole("button", { name, exact: true });
const link = (page, name) => page.getByRole("link", { name, exact: true });

test("with the keyboard alone one signs in, adds a host and releases a cluster", () =>
    browser.tell(programs, {}, async (page) => {
        const type = async (locator, text) => {
            await tabTo(page, locator);
            await page.keyboard.press("ControlOrMeta+a");
            await page.keyboard.type(text);
        };
        await page.goto("/");
        await shown(page.getByLabel("Password"));
        // The keyboard is in the name from the beginning.
        await page.keyboard.type(Programs.username);
        await type(page.getByLabel("Password"), Programs.password);
        await page.keyboard.press("Enter");
        await shown(page.getByRole("heading", { name: "Overview" }));
        await tabTo(page, link(page, "Add a host").first());
        await page.keyboard.press("Enter");
        await shown(page.getByRole("heading", { name: "Add a host" }));
        await type(page.getByLabel("Name"), "keys");
        await type(page.getByLabel("Daemon URL"), programs.urls[0]);
        await type(page.getByLabel("Capacity"), "1");
        await tabTo(page, button(page, "Add the host"));
        await page.keyboard.press("Enter");
        await shown(page.getByRole("heading", { name: "keys", exact: true }));
        const cluster = await olga.lease(programs, "kim");
        await tabTo(page, link(page, "Clusters").first());
        await page.keyboard.press("Enter");
        await shown(page.getByRole("heading", { name: "Clusters" }));
        await live(page);
        await tabTo(page, page.getByRole("link", { name: `Release ${cluster.name}` }));
        await page.keyboard.press("Enter");
        await shown(page.getByRole("heading", { name: `Release ${cluster.name}?` }));
        await tabTo(page, button(page, `Release ${cluster.name}`));
        await page.keyboard.press("Enter");
        await page.waitForURL((url) => !url.pathname.endsWith("/release"));
        await olga.free(1);
        assert.deepEqual(await olga.clusters("type=inused"), []);
    }));

test("without scripts one signs in, adds a host, releases a cluster and signs out, on a phone", () =>
    browser.tell(programs, { scripts: false, viewport: NARROW }, async (page) => {
        await page.goto("/");
        await page.getByLabel("Name").fill(Programs.username);
        await page.getByLabel("Password").fill(Programs.password);
        await button(page, "Sign in").click();
        await shown(page.getByRole("heading", { name: "Overview" }));
        await page.goto("/hosts/new");
        await page.getByLabel("Name").fill("plain");
        await page.getByLabel("Daemon URL").fill(programs.urls[1]);
        await page.getByLabel("Capacity").fill("1");
        await button(page, "Add the host").click();
        await shown(page.getByRole("heading", { name: "plain", exact: true }));
        await olga.free(2);
        const cluster = await olga.lease(programs, "pat");
        await page.getByText("Menu").click();
        await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Clusters" }).click();
        await link(page, cluster.name).click();
        await link(page, "Release").click();
        await button(page, `Release ${cluster.name}`).click();
        // Nothing brings this page up to date, so it is looked at when there is something to see.
        await until("the record", async () => (await olga.call("GET", "/api/v1/records?user=pat")).items[0]);
        await page.goto("/clusters?type=released");
        await shown(page.locator("tr", { hasText: "pat" }));
        await page.getByText("Menu").click();
        await button(page, "Sign out").click();
        await shown(page.getByRole("heading", { name: "Sign in" }));
    }));

test("many hosts are pasted: what is right is added, and what is not comes back with its reason", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        const [, , one, two, three] = programs.urls;
        await page.goto("/hosts");
        await link(page, "Add many").click();
        const lines = page.getByLabel("Hosts, one a line");
        await lines.fill(`rack-1 ${one} 1\nrack-2\t${two}\t1\nrack 3 ${three}\nrack-4 tcp://127.0.0.1:1 1`);
        await button(page, "Add the hosts").dblclick();
        await shown(page.getByRole("heading", { name: "Line by line" }));
        assert.equal(await page.locator("td .state", { hasText: "added" }).count(), 2);
        assert.equal(await page.locator("td .state", { hasText: "refused" }).count(), 2);
        assert.equal(await lines.inputValue(), `rack 3 ${three}\nrack-4 tcp://127.0.0.1:1 1\n`);
        await lines.fill(`rack-3 ${three} 1`);
        await button(page, "Add the hosts").click();
        await shown(page.getByRole("heading", { name: "Hosts", exact: true }));
        for (const name of ["rack-1", "rack-2", "rack-3"]) await shown(link(page, name));
    }));
