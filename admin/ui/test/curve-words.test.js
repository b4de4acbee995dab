import assert from "node:assert/strict";
import { test } from "node:test";
import { extent, isEmpty, last, number, rows } from "../src/curve-words.js";

const series = (name, avg) => ({ name, avg, min: avg, max: avg });

test("numbers are as fine as they need to be", () => {
    for (const [value, unit, text] of [[0, "", "0"], [0.75, "%", "0.75 %"], [12.34, "MiB", "12.3 MiB"], [1234.5, "s", "1235 s"], [2.5, "", "2.5"], [null, "%", "–"]]) {
        assert.equal(number(value, unit), text);
    }
});

test("a value of long ago is not now", () => {
    assert.equal(last([1, 2, null, null]), 2);
    assert.equal(last([1, null, null, null]), undefined);
});

test("the table has about a dozen rows, the newest first, with a gap where there is one", () => {
    const times = Array.from({ length: 60 }, (_, n) => n * 60);
    const avg = times.map((_, n) => (n === 54 ? null : n));
    const table = rows({ times, unit: "%", series: [series("vp0", avg), series("vp1", times.map(() => 0.5))] });
    assert.equal(table.length, 12);
    assert.deepEqual(table[0], { at: "1970-01-01T00:59:00.000Z", values: ["59 %", "0.5 %"] });
    assert.deepEqual(table[1], { at: "1970-01-01T00:54:00.000Z", values: ["–", "0.5 %"] });
    assert.equal(rows({ times: times.slice(0, 3), unit: "", series: [series("a", [1, 2, 3])] }).length, 3);
});

test("what was not measured is said not to be", () => {
    assert.equal(extent(series("a", [null, 2, 7]), "%"), "2 % to 7 %");
    assert.equal(extent(series("a", [null]), "%"), "not measured");
    assert.ok(isEmpty({ series: [series("a", [null])] }) && isEmpty({ series: [] }));
    assert.ok(!isEmpty({ series: [series("a", [null]), series("b", [0])] }));
});
