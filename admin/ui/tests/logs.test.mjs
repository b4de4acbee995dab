// A log that is followed and cannot go on: its node ends, the server refuses or goes away, the reader signs out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Admin } from "./support/admin.mjs";
import { Browser, live, shown } from "./support/browser.mjs";
import { Programs } from "./support/programs.mjs";
import { until } from "./support/until.mjs";

let programs, browser, olga, cluster, node;
before(async () => {
    [programs, browser] = await Promise.all([Programs.start({ hosts: 1 }), Browser.start()]);
    olga = await Admin.signIn(programs);
    await olga.addHost("first", programs.urls[0], { capacity: 1 });
    await olga.free(1);
    cluster = await olga.lease(programs, "alice");
    [node] = cluster.nodes;
});
after(() => Promise.all([browser?.end(), programs?.end()]));

const button = (page, name) => page.getByRole("button", { name, exact: true });
const state = (page, hasText) => page.locator(".logstate", { hasText });
const log = (page, text) => page.getByRole("log").getByText(text);
const print = (text) => programs.control(0, "POST", `/_sim/containers/${node.container}/print`, { text });
const act = (action) => olga.call("POST", `/api/v1/clusters/${cluster.id}/${action}`, { node: node.name });
const stateIs = (wanted) =>
    until(`${node.name} to be ${wanted}`, async () => {
        const now = await olga.call("GET", `/api/v1/clusters/${cluster.id}`);
        return now.nodes.find((one) => one.name === node.name).state === wanted;
    });

/// The cluster's page with the node's log followed; the requests for it as they are made.
async function follow(page) {
    const asked = [];
    page.on("request", (request) => request.url().includes("/logs?follow") && asked.push(request.url()));
    await page.goto(`/clusters/${cluster.id}`);
    await live(page);
    await page.locator("#logs").scrollIntoViewIfNeeded();
    await shown(state(page, "Following"));
    return asked;
}

test("the log of a node that has ended is asked for again when the page shows that it runs", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        const asked = await follow(page);
        await print("written before");
        await shown(log(page, "written before"));
        await act("stop");
        await shown(state(page, `${node.name} has ended. This goes on when it runs.`));
        const before = asked.length;
        await act("start");
        await shown(state(page, /^Following$/));
        assert.equal(asked.length, before + 1, "once, and not in between");
        await print("written after");
        await shown(log(page, "written after"));
        for (const text of ["written before", "written after"]) assert.equal(await log(page, text).count(), 1, text);
    }));

test("a page that does not show whether the node runs says that it has ended, and offers to ask again", () =>
    browser.tell(programs, { as: olga }, async (page) => {
        await page.goto(`/clusters/${cluster.id}/logs?node=${node.name}`);
        await shown(state(page, /^Following$/));
        await act("stop");
        await shown(state(page, new RegExp(`^${node.name} has ended\\.$`)));
        await act("start");
        await stateIs("running");
        await button(page, "Follow again").click();
        await shown(state(page, /^Following$/));
        await print("it is back");
        await shown(log(page, "it is back"));
    }));

test("what is paused stays paused when the server goes and comes back, and no line is lost or doubled", () =>
    browser.tell(programs, { as: olga, away: true }, async (page) => {
        await follow(page);
        await print("seen");
        await shown(log(page, "seen"));
        await button(page, "Pause").click();
        await print("held one");
        await shown(state(page, "Paused (1 new line)"));
        await programs.operators.end("SIGKILL");
        await shown(state(page, "The connection is lost. Trying again in"));
        await print("held two");
        await programs.startAdmin();
        await shown(state(page, /^Paused \(2 new lines\)$/));
        await print("held three");
        await shown(state(page, /^Paused \(3 new lines\)$/));
        assert.equal(await page.getByRole("log").getByText("held").count(), 0);
        await button(page, "Resume").click();
        await shown(log(page, "held three"));
        for (const text of ["seen", "held one", "held two", "held three"]) assert.equal(await log(page, text).count(), 1, text);
    }));

test("what the server refuses is said in its words, with when it is tried again", async () => {
    // Nobody else's logs count against hers.
    const otto = await olga.addOperator(programs, "otto", "operator");
    const given = new AbortController();
    const path = `${programs.admin}/api/v1/clusters/${cluster.id}/logs?follow=true&tail=1&node=${node.name}`;
    const headers = { Cookie: otto.cookie };
    for (let n = 0; n < 10; n++) assert.equal((await fetch(path, { headers, signal: given.signal })).status, 200);
    await browser.tell(programs, { as: otto }, async (page) => {
        await page.goto(`/clusters/${cluster.id}/logs?node=${node.name}`);
        await shown(state(page, "Not followed: You follow 10 logs already; close the page of one of them. Trying again in 10 s."));
        given.abort();
        await until("a place to be free", async () => {
            // That a follower has gone is noticed when there is something to write to it.
            await print("something");
            if (await state(page, /^Following$/).isVisible()) return true;
            await button(page, "Follow again").click({ timeout: 1000 }).catch(() => {});
        });
    });
});

test("who is signed out elsewhere reads no further, and is led back by way of signing in", async () => {
    const vera = await olga.addOperator(programs, "vera", "viewer");
    await browser.tell(programs, { as: vera }, async (page) => {
        await page.goto(`/clusters/${cluster.id}/logs?node=${node.name}`);
        await shown(state(page, /^Following$/));
        await vera.call("DELETE", "/api/v1/session");
        await shown(state(page, "You are signed out."));
        await print("not for her any more");
        await page.locator(".logstate").getByRole("link", { name: "Sign in again" }).click();
        await page.getByLabel("Name").fill("vera");
        await page.getByLabel("Password").fill(Programs.password);
        await button(page, "Sign in").click();
        await shown(state(page, /^Following$/));
        assert.equal(new URL(page.url()).searchParams.get("node"), node.name);
    });
});
