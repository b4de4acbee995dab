import assert from "node:assert/strict";
import { test } from "node:test";
import { span, words } from "../src/words.js";

test("a length of time is told in its largest unit, and days with hours", () => {
    for (const [seconds, text] of [[0, "0 s"], [59, "59 s"], [60, "1 min"], [3599, "59 min"], [3600, "1 h"], [86_400, "1 d"], [90_000, "1 d 1 h"]]) {
        assert.equal(span(seconds), text);
    }
});

test("a point in time is told from now, and what lasts by how long", () => {
    const now = 1_000_000_000;
    assert.equal(words(undefined, now - 90_000, now), "1 min ago");
    assert.equal(words(undefined, now + 90_000, now), "in 1 min");
    assert.equal(words(undefined, now - 1000, now), "just now");
    assert.equal(words("for", now - 90_000, now), "for 1 min");
});

test("what is to come is never told as past", () => {
    const now = 1_000_000_000;
    for (const [after, text] of [[90_000, "in 1 min"], [2_000, "in 2 s"], [1_000, "at any moment"], [0, "at any moment"], [-90_000, "at any moment"]]) {
        assert.equal(words("due", now + after, now), text);
    }
});

test("a clock that is a little behind the server's makes nothing begin in the future", () => {
    assert.equal(words("for", 5000, 0), "for 0 s");
});
