// Follows what a node writes. Lines are put on the page as text, never as markup, and only the last ones are kept.
import { read } from "./event-stream.js";
import { next } from "./log-next.js";
import { Seen } from "./log-seen.js";
import { signInAgain } from "./sign-in.js";

const KEPT = 2000;
/// The server gives a sign of life every 15 s; two that are missing are no accident.
const SILENT = 40_000;

class NodeLog {
    constructor(box) {
        const part = (name) => box.querySelector(name);
        this.box = box;
        this.lines = part(".loglines");
        this.state = part(".logstate");
        this.pause = part("[data-log-pause]");
        this.retry = part("[data-log-again]");
        this.held = [];
        this.leftOut = 0;
        box.classList.add("on");
        this.pause.hidden = false;
        const wrap = part("[data-log-wrap]");
        wrap.closest("label").hidden = false;
        wrap.addEventListener("change", () => this.lines.classList.toggle("wrap", wrap.checked));
        this.pause.addEventListener("click", () => this.setPaused(!this.paused));
        this.retry.addEventListener("click", () => this.askedAgain());
        part("nav").addEventListener("click", (event) => this.choose(event));
        this.begin(box.dataset.node);
        this.watch();
    }

    /// Without TLS a browser has six connections to a site for all its tabs; a log that nobody looks at holds none. The
    /// page's live part tells whether the node runs.
    watch() {
        document.addEventListener("visibilitychange", () => this.lookedAt());
        new IntersectionObserver(([entry]) => {
            this.inView = entry.isIntersecting;
            this.lookedAt();
        }).observe(this.box);
        window.addEventListener("offline", () => this.reading && this.over({}));
        const live = document.getElementById("live");
        const what = { childList: true, subtree: true, attributeFilter: ["data-runs"] };
        if (live) new MutationObserver(() => this.told()).observe(live, what);
    }

    /// Whether the page shows the node as running; undefined if it does not show it.
    get runs() {
        const row = document.querySelector(`#live [data-node="${CSS.escape(this.node)}"]`);
        return row ? row.dataset.runs === "true" : undefined;
    }

    begin(node) {
        this.node = node;
        this.seen = new Seen();
        this.replace = true;
        this.connected = false;
        this.tries = 0;
        this.held = [];
        this.leftOut = 0;
    }

    lookedAt() {
        const looked = Boolean(this.inView && !document.hidden);
        if (looked === Boolean(this.looked)) return;
        this.looked = looked;
        if (!looked) this.rest();
        else if (this.node && !this.stays()) this.connect();
        this.say();
    }

    rest() {
        this.reading?.abort();
        this.reading = undefined;
        clearTimeout(this.timer);
        this.live = false;
    }

    /// Whether nothing but the reader or the node can make it go on.
    stays() {
        return this.outcome && this.outcome.wait === undefined && !(this.outcome.node && this.runs);
    }

    choose(event) {
        const link = event.target.closest("a[data-node]");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        event.preventDefault();
        for (const other of link.parentElement.children) other.removeAttribute("aria-current");
        link.setAttribute("aria-current", "true");
        this.begin(link.dataset.node);
        this.lines.setAttribute("aria-label", `Log of ${this.node}`);
        this.lines.replaceChildren();
        this.setPaused(false);
        this.connect();
    }

    setPaused(paused) {
        this.paused = paused;
        this.pause.setAttribute("aria-pressed", String(paused));
        this.pause.textContent = paused ? "Resume" : "Pause";
        if (!paused) this.release();
        this.say();
    }

    release() {
        if (this.leftOut > 0) this.held.unshift(note(`${this.leftOut} lines came while this was paused and are left out`));
        this.leftOut = 0;
        if (this.held.length > 0) this.add(this.held.splice(0));
    }

    askedAgain() {
        this.tries = 0;
        this.connect();
        this.lines.focus({ preventScroll: true });
    }

    /// What the page shows of the node has changed: it may be time to go on, or of no use to try.
    told() {
        const { runs } = this;
        if (runs === this.ran) return;
        this.ran = runs;
        if (!this.outcome?.node || !this.looked) return;
        if (!runs) return this.decide();
        this.tries = 0;
        this.connect();
    }

    async connect() {
        this.rest();
        this.outcome = undefined;
        this.ran = this.runs;
        this.seen.again();
        this.say();
        const reading = new AbortController();
        this.reading = reading;
        const tail = this.connected ? KEPT : this.box.dataset.tail;
        const url = `${this.box.dataset.log}?follow=true&tail=${tail}&node=${encodeURIComponent(this.node)}`;
        // What comes late, for a reading that was given up, is nobody's.
        const mine = (then) => (value) => this.reading === reading && then(value);
        const ended = mine((why) => this.over(why));
        try {
            const { signal } = reading;
            ended((await read(url, { signal, silent: SILENT, opened: mine(() => this.opened()), heard: mine((event) => this.hear(event)) })) ?? {});
        } catch {
            ended({});
        }
    }

    opened() {
        this.live = true;
        this.connected = true;
        this.say();
    }

    hear({ name, data }) {
        const value = JSON.parse(data);
        if (name === "line") this.take(value);
        if (name === "skipped") this.put([note(`${value} lines came too fast and are left out`)]);
        if (name === "end") this.over(value);
    }

    take(line) {
        const what = this.seen.take(line);
        if (what === "known") return;
        this.tries = 0;
        const gap = what === "after-gap" ? [note("Some lines before this one may be missing")] : [];
        this.put([...gap, shown(line)]);
    }

    put(elements) {
        if (!this.paused) return this.add(elements);
        this.held.push(...elements);
        while (this.held.length > KEPT) {
            this.held.shift();
            this.leftOut += 1;
        }
        this.say();
    }

    add(elements) {
        // What the server had put there comes again with the first connection.
        if (this.replace) this.lines.replaceChildren();
        this.replace = false;
        const atEnd = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 24;
        const before = this.lines.scrollHeight;
        this.lines.append(...elements);
        let gone = this.lines.childElementCount - KEPT;
        if (gone > 0) {
            while (gone-- > 0) this.lines.firstElementChild.remove();
            // What somebody reads stays where it is.
            if (!atEnd) this.lines.scrollTop += this.lines.scrollHeight - before;
        }
        if (atEnd) this.lines.scrollTop = this.lines.scrollHeight;
    }

    /// It is followed no more.
    over(why) {
        this.rest();
        this.why = why;
        this.decide();
        this.tries += 1;
    }

    decide() {
        clearTimeout(this.timer);
        this.outcome = next(this.node, this.why, this.runs, this.tries);
        if (this.outcome.wait !== undefined) this.timer = setTimeout(() => this.connect(), this.outcome.wait);
        this.say();
    }

    say() {
        const count = this.held.length + this.leftOut;
        const paused = this.paused ? `Paused${count ? ` (${count} new ${count === 1 ? "line" : "lines"})` : ""}` : "";
        const text = this.outcome ? [paused, this.outcome.text].filter(Boolean).join(". ") : paused || (this.live ? "Following" : "Connecting …");
        this.retry.hidden = !this.outcome || Boolean(this.outcome.signedOut);
        if (this.said === text) return;
        this.said = text;
        this.state.replaceChildren(text, ...(this.outcome?.signedOut ? [" ", signInAgain()] : []));
    }
}

function shown({ at, stream, text }) {
    const element = document.createElement("div");
    const time = document.createElement("span");
    time.className = "at";
    const moment = new Date(at);
    time.textContent = Number.isNaN(moment.valueOf()) ? at : moment.toLocaleTimeString(undefined, { hour12: false }) + at.slice(19, 23);
    time.title = at;
    element.append(time, " ");
    if (stream === "stderr") {
        element.className = "err";
        element.title = "standard error";
    }
    element.append(text);
    return element;
}

function note(text) {
    return Object.assign(document.createElement("div"), { className: "note", textContent: text });
}

for (const box of document.querySelectorAll(".nodelog[data-log]")) new NodeLog(box);
