// Follows what a node writes. Lines are put on the page as text, never as markup, and only the last ones are kept.
const KEPT = 2000;
const AGAIN = [2_000, 5_000, 10_000, 30_000];

class NodeLog {
    constructor(box) {
        this.box = box;
        this.lines = box.querySelector(".loglines");
        this.state = box.querySelector(".logstate");
        this.pause = box.querySelector("[data-log-pause]");
        const wrap = box.querySelector("[data-log-wrap]");
        box.classList.add("on");
        this.pause.hidden = false;
        wrap.closest("label").hidden = false;
        this.pause.addEventListener("click", () => this.setPaused(!this.paused));
        wrap.addEventListener("change", () => this.lines.classList.toggle("wrap", wrap.checked));
        box.querySelector("nav").addEventListener("click", (event) => this.choose(event));
        this.tries = 0;
        this.node = box.dataset.node;
        // Without TLS a browser has six connections to a site for all its tabs; a log that nobody looks at holds none.
        document.addEventListener("visibilitychange", () => this.lookedAt());
        new IntersectionObserver(([entry]) => {
            this.inView = entry.isIntersecting;
            this.lookedAt();
        }).observe(box);
    }

    /// Follows while somebody looks, and else not. What was paused stays as she left it.
    lookedAt() {
        const looked = this.inView && !document.hidden;
        if (looked === this.looked) return;
        this.looked = looked;
        if (!looked) this.rest();
        else if (this.node && !this.paused) this.connect();
    }

    rest() {
        this.source?.close();
        clearTimeout(this.timer);
        this.live = false;
        this.say();
    }

    choose(event) {
        const link = event.target.closest("a[data-node]");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        event.preventDefault();
        for (const other of link.parentElement.children) other.removeAttribute("aria-current");
        link.setAttribute("aria-current", "true");
        this.node = link.dataset.node;
        this.lines.setAttribute("aria-label", `Log of ${this.node}`);
        this.lines.replaceChildren();
        this.tries = 0;
        this.setPaused(false);
        this.connect();
    }

    setPaused(paused) {
        this.paused = paused;
        this.pause.setAttribute("aria-pressed", String(paused));
        this.pause.textContent = paused ? "Resume" : "Pause";
        if (!paused && this.held?.length) this.add(this.held.splice(0));
        if (!paused && this.looked && this.source?.readyState === EventSource.CLOSED) this.connect();
        this.say();
    }

    connect() {
        this.source?.close();
        clearTimeout(this.timer);
        this.held = [];
        this.fresh = true;
        this.trouble = "";
        const source = new EventSource(`${this.box.dataset.log}&node=${encodeURIComponent(this.node)}`);
        this.source = source;
        source.onopen = () => this.opened();
        source.addEventListener("line", (event) => this.take(this.line(JSON.parse(event.data))));
        source.addEventListener("skipped", (event) => this.take(note(`${JSON.parse(event.data)} lines came too fast and are left out`)));
        source.addEventListener("end", (event) => this.again(JSON.parse(event.data)));
        source.onerror = () => this.again(source.readyState === EventSource.CLOSED ? "it cannot be read now" : "the connection is lost");
    }

    opened() {
        this.live = true;
        this.trouble = "";
        this.say();
    }

    // The last lines come again with each connection, so what was there goes with the first of them.
    take(element) {
        if (this.fresh && !this.paused) {
            this.lines.replaceChildren();
            this.fresh = false;
        }
        this.tries = 0;
        if (this.paused) {
            this.held.push(element);
            if (this.held.length > KEPT) this.held.shift();
            this.say();
            return;
        }
        this.add([element]);
    }

    add(elements) {
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

    line({ at, stream, text }) {
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

    again(why) {
        this.source.close();
        this.live = false;
        this.trouble = why;
        const wait = AGAIN[Math.min(this.tries++, AGAIN.length - 1)];
        this.timer = setTimeout(() => this.connect(), wait);
        this.say();
    }

    say() {
        const held = this.paused && this.held.length ? ` (${this.held.length} new lines)` : "";
        const text = this.trouble ? `Not following: ${this.trouble}. Trying again.` : this.paused ? `Paused${held}` : this.live ? "Following" : "Connecting …";
        if (this.state.textContent !== text) this.state.textContent = text;
    }
}

function note(text) {
    return Object.assign(document.createElement("div"), { className: "note", textContent: text });
}

for (const box of document.querySelectorAll(".nodelog[data-log]")) new NodeLog(box);
