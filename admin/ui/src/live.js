// Live parts of a page: `<div id="live" hx-sse:connect="/live?page=...">`. htmx and its extension for server-sent events
// connect, swap in what comes, and connect again when the line breaks; a hidden tab lets go and is caught up when it is
// looked at again. What they leave out is here: a first connection that fails, a line that is dead without having
// broken, an end of the session, and telling the reader how old the page is.
import "./live-keep.js";
import { held } from "./live-hold.js";
import { say } from "./live-banner.js";

/// The server gives a sign of life every 15 s; two that are missing are no accident.
const SILENT = 40_000;
/// Blips shorter than this are nobody's business.
const GRACE = 3_000;
/// Between two tries, at most.
const LONGEST_WAIT = 10_000;

const live = document.getElementById("live");
const { htmx } = window;

htmx.config.sse = { reconnectDelay: 500, reconnectMaxDelay: LONGEST_WAIT, connectTimeout: LONGEST_WAIT };

const state = {
    connection: null,
    connected: false,
    over: false,
    /// When the server was heard last.
    heard: Date.now(),
    /// When the page was last known to be up to date.
    fresh: new Date(),
    /// The server has said that it cannot tell what is new.
    troubled: false,
    tries: 0,
    lost: undefined,
};

function up() {
    state.heard = Date.now();
    state.connected = true;
    state.tries = 0;
    clearTimeout(state.lost);
    state.lost = undefined;
}

/// Something was sent, if only a sign of life.
function hear(name) {
    state.heard = Date.now();
    if (name === "trouble") state.troubled = true;
    if (name === "" || name === "well") state.troubled = false;
    if (state.troubled) return;
    state.fresh = new Date();
    say.fine();
}

/// The line is lost. It is said only if it does not come back at once, and never to a tab that nobody looks at.
function down(why) {
    state.connected = false;
    if (state.over || document.hidden) return;
    state.lost ??= setTimeout(() => {
        if (!state.connected && !state.over && !document.hidden) say.lost(state.fresh, why);
        state.lost = undefined;
    }, GRACE);
}

function end() {
    state.over = true;
    state.connected = false;
    clearTimeout(state.lost);
    say.ended();
}

/// The extension does not try a first connection again.
function again() {
    const wait = Math.min(500 * 2 ** state.tries, LONGEST_WAIT) * (0.7 + Math.random() * 0.6);
    state.tries += 1;
    setTimeout(() => {
        if (!live.isConnected || live._htmx?.sse || state.over) return;
        htmx.ajax("GET", live.getAttribute("hx-sse:connect"), { source: live, timeout: LONGEST_WAIT });
    }, wait);
}

function reload() {
    state.over = true;
    setTimeout(() => location.reload(), 300);
}

function refused(status) {
    if (status === 401) return end();
    // What this page shows is gone, be it since a moment ago, or not for her any more: the page itself says so.
    if (status === 403 || status === 404) return reload();
    if (status === 429) return down("You follow as many pages live as one may at once. Close some of them; this one then goes on.");
    down(status === 503 ? "The server serves no more live pages at this moment." : undefined);
}

/// Wakes up a line that gave no sign of life for too long, or that waits to be tried again.
function check() {
    if (document.hidden || state.over) return;
    if (state.connected && Date.now() - state.heard > SILENT) {
        down();
        state.connection?.reader?.cancel();
    }
}

if (live) {
    const on = (name, then) => live.addEventListener(name, (event) => event.target === live && then(event));

    // What is no stream must not get into the page: a refusal, or somebody else's words.
    on("htmx:before:response", (event) => {
        const { response } = event.detail.ctx;
        if (response.headers.get("content-type")?.includes("text/event-stream")) return;
        event.preventDefault();
        refused(response.status);
        if (!state.over) again();
    });
    on("htmx:error", () => {
        down();
        if (!live._htmx?.sse) again();
    });
    on("htmx:sse:before:connection", (event) => {
        state.connection = event.detail.connection;
        if (state.over) event.preventDefault();
        else if (state.connection.status !== null) down();
    });
    on("htmx:sse:after:connection", up);
    on("htmx:sse:error", (event) => {
        const { status } = event.detail;
        if (status) refused(status);
        else down();
    });
    on("htmx:sse:before:message", (event) => {
        const { message } = event.detail;
        hear(message.event);
        if (!message.event && held(live, message.data)) event.preventDefault();
    });
    on("trouble", (event) => say.trouble(state.fresh, event.detail.data));
    // Another role sees another page.
    on("changed", () => location.reload());
    on("ended", end);

    setInterval(check, 5_000);
    // The browser has no network at all: what looks like a line is dead, and would be silent for long.
    window.addEventListener("offline", () => {
        down();
        state.connection?.reader?.cancel();
    });
    window.addEventListener("online", () => state.connection?.delayCanceller?.());
    document.addEventListener("visibilitychange", () => {
        // The extension lets go of hidden tabs by itself.
        if (document.hidden) {
            state.connected = false;
            clearTimeout(state.lost);
            state.lost = undefined;
        } else {
            down();
        }
    });
}
