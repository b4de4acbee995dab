import assert from "node:assert/strict";
import { test } from "node:test";
import { here, moment } from "../src/zones.js";

process.env.TZ = "Europe/Berlin";

test("a time is shown as the reader's clock tells it, and sent as the moment that she meant", () => {
    for (const [utc, told] of [["2026-01-31T12:00:05", "2026-01-31T13:00:05"], ["2026-07-31T22:30:00", "2026-08-01T00:30:00"]]) {
        assert.equal(here(utc), told);
        assert.equal(moment(told), `${utc}.000Z`);
    }
    assert.equal(moment("2026-01-31T13:00"), "2026-01-31T12:00:00.000Z", "without seconds");
});

test("what is no time is none", () => {
    for (const text of ["", "yesterday"]) {
        assert.equal(here(text), "");
        assert.equal(moment(text), "");
    }
});
