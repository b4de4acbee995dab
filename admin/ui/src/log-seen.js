// Which lines of a log are new. The last ones come again with each connection, so that none is lost in between; what was
// there already must not be there twice.

/// As many as the server sends again.
const REMEMBERED = 2000;

/// A time of RFC 3339 in UTC, so that later ones are greater: engines leave out noughts at the end of the fraction.
export function comparable(at) {
    const [, whole, fraction = ""] = /^([^.Z]*)(?:\.(\d*))?/.exec(at);
    return `${whole}.${fraction.padEnd(9, "0")}`;
}

export class Seen {
    #lines = [];
    /// While the last lines come again: how often each was there, and up to which time.
    #known;
    #until;
    #met = false;

    /// From now on the last lines come again.
    again() {
        this.#known = undefined;
        this.#met = false;
        if (this.#lines.length === 0) return;
        this.#known = new Map();
        this.#until = "";
        for (const { at, key } of this.#lines) {
            this.#known.set(key, (this.#known.get(key) ?? 0) + 1);
            // Two streams are written at once, so the last one need not be the latest.
            if (at > this.#until) this.#until = at;
        }
    }

    /// What a line is: "new", "known", or "after-gap": new, and some before it may be missing.
    take({ at, stream, text }) {
        const line = { at: comparable(at), key: `${at} ${stream} ${text}` };
        const what = this.#known ? this.#caughtUp(line) : "new";
        if (what !== "known") {
            this.#lines.push(line);
            if (this.#lines.length > REMEMBERED) this.#lines.shift();
        }
        return what;
    }

    #caughtUp({ at, key }) {
        if (at > this.#until) {
            this.#known = undefined;
            return this.#met ? "new" : "after-gap";
        }
        const count = this.#known.get(key) ?? 0;
        if (count > 0) {
            this.#known.set(key, count - 1);
            this.#met = true;
            return "known";
        }
        // Older than all that was shown. Else two wrote at the same moment, and this one was late.
        return at < this.#lines[0].at ? "known" : "new";
    }
}
