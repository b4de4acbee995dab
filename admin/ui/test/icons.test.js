import assert from "node:assert/strict";
import { test } from "node:test";
import { faults, listed, symbol, used } from "../icons.mjs";

test("a list has a name a line", () => {
    assert.deepEqual(listed("# names\nbox\n\n plus \n"), ["box", "plus"]);
});

test("icons are used by components, by what an argument is otherwise, and by address", () => {
    const template = `{{ <icon name="plus" /> }} {% <nothing title="x" icon="box"> %} {% component nothing(icon: string = "server") %}
        {{ asset(name="icons.svg") }}#copy" {{ asset(name="icons.svg") }}#{{ name }} {{ <icon name={icon} /> }} icon: string = ""`;
    assert.deepEqual([...used([template, `use.setAttribute("href", "/assets/icons.svg#eye")`])].sort(), ["box", "copy", "eye", "plus", "server"]);
});

test("a name that nobody uses, that nobody listed, or that is there twice is a fault", () => {
    assert.deepEqual(faults(["box", "plus"], new Set(["plus", "box"])), []);
    assert.deepEqual(faults(["box", "moon", "box"], new Set(["box", "eye"])), [
        '"box" is listed twice',
        '"moon" is listed, and no template or script uses it',
        '"eye" is used, and not listed',
    ]);
});

test("a symbol has an icon's shapes and nothing else of it", () => {
    const source = '<!-- tags -->\n<svg\n  width="24"\n>\n  <path d="M1 1" />\n</svg>\n';
    assert.ok(symbol("box", source).endsWith('stroke-linejoin="round"><path d="M1 1" /></symbol>'));
});
