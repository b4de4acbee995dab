// Server-sent events read by fetch, which tells why it was refused; an EventSource keeps that to itself.

/// Puts events together from the pieces in which they come.
export class Events {
    #rest = "";

    /// The events that end in this piece, as `{name, data}`. Comments are signs of life and no events.
    take(piece) {
        const blocks = (this.#rest + piece).split("\n\n");
        this.#rest = blocks.pop();
        return blocks.map(event).filter(({ data }) => data !== undefined);
    }
}

function event(block) {
    const found = { name: "message", data: undefined };
    for (const line of block.split("\n")) {
        const [field, value] = parted(line);
        if (field === "event") found.name = value;
        if (field === "data") found.data = found.data === undefined ? value : `${found.data}\n${value}`;
    }
    return found;
}

/// "field: value".
function parted(line) {
    const at = line.indexOf(":");
    return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(line[at + 1] === " " ? at + 2 : at + 1)];
}

/// Why a request was not served: the server's own words, and in how many seconds it may be asked again.
export async function refusal(response) {
    const problem = await response.json().catch(() => ({}));
    const after = Number(response.headers.get("retry-after") ?? NaN);
    return {
        status: response.status,
        detail: problem.detail ?? `the server answered with ${response.status}`,
        after: Number.isFinite(after) ? after : undefined,
    };
}

/// Reads a stream to its end: `opened()` once it is one, `heard({name, data})` for each event. The answer is a refusal, or
/// nothing if the stream just ended. It throws when the line breaks, or is silent for so many milliseconds.
export async function read(url, { signal, silent, opened, heard }) {
    const dead = new AbortController();
    let timer;
    const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(() => dead.abort(), silent);
    };
    try {
        alive();
        const options = { signal: AbortSignal.any([signal, dead.signal]), cache: "no-store", redirect: "error" };
        const response = await fetch(url, { ...options, headers: { Accept: "text/event-stream" } });
        if (!response.ok) return await refusal(response);
        opened();
        const events = new Events();
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return undefined;
            alive();
            for (const one of events.take(value)) heard(one);
        }
    } finally {
        clearTimeout(timer);
    }
}
