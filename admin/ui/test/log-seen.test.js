import assert from "node:assert/strict";
import { test } from "node:test";
import { comparable, Seen } from "../src/log-seen.js";

const line = (second, text = "x") => ({ at: `2026-01-31T12:00:${String(second).padStart(2, "0")}.5Z`, stream: "stdout", text });
const take = (seen, lines) => lines.map((one) => seen.take(one));

test("lines that come again are known, and what was written meanwhile is new", () => {
    const seen = new Seen();
    assert.deepEqual(take(seen, [line(3), line(4)]), ["new", "new"]);
    seen.again();
    // More of them are asked for than at first.
    assert.deepEqual(take(seen, [line(1), line(2), line(3), line(4), line(5), line(6)]), ["known", "known", "known", "known", "new", "new"]);
    seen.again();
    assert.deepEqual(take(seen, [line(5), line(6)]), ["known", "known"]);
});

test("two lines alike at the same moment are two, and come again as two", () => {
    const seen = new Seen();
    assert.deepEqual(take(seen, [line(1), line(1)]), ["new", "new"]);
    seen.again();
    assert.deepEqual(take(seen, [line(1), line(1), line(1), line(1, "y")]), ["known", "known", "new", "new"]);
});

test("a line that was written a little before the one that came first is not lost", () => {
    const seen = new Seen();
    assert.deepEqual(take(seen, [line(1), line(5), line(4)]), ["new", "new", "new"]);
    seen.again();
    assert.deepEqual(take(seen, [line(1), line(3), line(5), line(4)]), ["known", "new", "known", "known"]);
});

test("when none of the last lines is known, some may be missing", () => {
    const seen = new Seen();
    seen.again();
    assert.deepEqual(take(seen, [line(1)]), ["new"], "nothing was shown before");
    seen.again();
    assert.deepEqual(take(seen, [line(7), line(8)]), ["after-gap", "new"]);
});

test("times are compared as numbers, however many digits an engine writes", () => {
    const sorted = ["2026-01-31T12:00:05Z", "2026-01-31T12:00:05.04Z", "2026-01-31T12:00:05.4Z", "2026-01-31T12:00:05.46Z", "2026-01-31T12:00:06Z"];
    assert.deepEqual([...sorted].reverse().sort((a, b) => (comparable(a) < comparable(b) ? -1 : 1)), sorted);
});
