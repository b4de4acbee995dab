import assert from "node:assert/strict";
import { test } from "node:test";
import { next } from "../src/log-next.js";

const ended = { code: "node-ended", detail: "The node has ended." };

test("the log of a node that has ended is not asked for until it runs", () => {
    assert.deepEqual(next("vp0", ended, false, 0), { text: "vp0 has ended. This goes on when it runs.", node: true });
    assert.deepEqual(next("vp0", ended, undefined, 0), { text: "vp0 has ended.", node: true }, "nothing tells when that is");
});

test("as long as the page shows it running it is tried again, ever more seldom", () => {
    const waits = [0, 1, 2, 3, 4, 50].map((tries) => next("vp0", ended, true, tries).wait);
    assert.deepEqual(waits, [2_000, 5_000, 10_000, 30_000, 30_000, 30_000]);
    assert.equal(next("vp0", ended, true, 1).text, "vp0 has ended. Trying again in 5 s.");
});

test("a refusal is told in the server's words, with what comes next", () => {
    const refused = (status, after) => ({ status, detail: "Because of this", after });
    for (const [status, after, runs, told] of [
        [403, undefined, true, { text: "Not followed: Because of this." }],
        [404, undefined, true, { text: "Not followed: Because of this." }],
        [422, undefined, true, { text: "Not followed: Because of this." }],
        [409, undefined, false, { text: "Not followed: Because of this. This goes on when it runs.", node: true }],
        [409, undefined, undefined, { text: "Not followed: Because of this. Trying again in 2 s.", wait: 2_000, node: true }],
        [429, 10, true, { text: "Not followed: Because of this. Trying again in 10 s.", wait: 10_000 }],
        [503, 2, true, { text: "Not followed: Because of this. Trying again in 2 s.", wait: 2_000 }],
        [500, undefined, true, { text: "Not followed: Because of this. Trying again in 2 s.", wait: 2_000 }],
    ]) {
        assert.deepEqual(next("vp0", refused(status, after), runs, 0), told, `${status} ${runs}`);
    }
});

test("who is signed out is told so, however it was found out, and nothing is tried", () => {
    const told = { text: "You are signed out.", signedOut: true };
    assert.deepEqual(next("vp0", { status: 401, detail: "Sign in first." }, true, 0), told);
    assert.deepEqual(next("vp0", { code: "signed-out", detail: "You are signed out." }, true, 0), told);
});

test("another role is asked for at once, a lost line soon", () => {
    assert.equal(next("vp0", { code: "role-changed", detail: "You have another role now." }, true, 0).wait, 0);
    assert.equal(next("vp0", {}, true, 0).text, "The connection is lost. Trying again in 2 s.");
});
