import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Events, read } from "../src/event-stream.js";

test("events are the same however they are cut into pieces", () => {
    const text = ': following\n\nevent: line\ndata: {"text":"a: b\u2028c"}\n\n: \n\nevent: skipped\ndata: 3\n\ndata: one\ndata:two\n\n';
    const whole = new Events().take(text);
    assert.deepEqual(whole, [
        { name: "line", data: '{"text":"a: b\u2028c"}' },
        { name: "skipped", data: "3" },
        { name: "message", data: "one\ntwo" },
    ]);
    const events = new Events();
    assert.deepEqual([...text].flatMap((letter) => events.take(letter)), whole);
});

async function served(answer, look) {
    const server = createServer(answer);
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    try {
        return await look(`http://127.0.0.1:${server.address().port}/`);
    } finally {
        server.closeAllConnections();
        server.close();
    }
}

const reading = (more = {}) => ({ signal: new AbortController().signal, silent: 10_000, opened() {}, heard() {}, ...more });

test("a refusal is told in the server's words, with when to ask again", async () => {
    const problem = (request, response) => response.writeHead(429, { "Retry-After": "10" }).end('{"detail":"Too many."}');
    assert.deepEqual(await served(problem, (url) => read(url, reading())), { status: 429, detail: "Too many.", after: 10 });
    const gateway = (request, response) => response.writeHead(502).end("<html>");
    assert.deepEqual(await served(gateway, (url) => read(url, reading())), { status: 502, detail: "the server answered with 502", after: undefined });
});

test("a stream is read to its end, and a line on which nothing comes is dead", async () => {
    const heard = [];
    const stream = (request, response) => response.writeHead(200).end("data: 1\n\ndata: 2\n\n");
    assert.equal(await served(stream, (url) => read(url, reading({ heard: ({ data }) => heard.push(data) }))), undefined);
    assert.deepEqual(heard, ["1", "2"]);
    const silence = (request, response) => response.writeHead(200).write(": following\n\n");
    await served(silence, (url) => assert.rejects(read(url, reading({ silent: 50 }))));
});
