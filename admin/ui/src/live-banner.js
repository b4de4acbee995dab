// Says how live the page is, in `#connection`, which screen readers read out when it changes. So it changes only with the
// state, not with time: a clock that ticks there would be read out every second.
import { signInAgain } from "./sign-in.js";

/// What came back is said for so long.
const BACK = 4_000;

const place = document.getElementById("connection");
let shown = "fine";
let clear;

function show(name, tone, ...words) {
    if (!place || shown === name) return;
    shown = name;
    clearTimeout(clear);
    const box = document.createElement("div");
    box.className = `alert ${tone}`;
    const text = document.createElement("div");
    text.append(...words);
    box.append(text);
    place.replaceChildren(box);
}

/// The time of day of something, told once.
function clock(at) {
    const time = document.createElement("time");
    time.dateTime = at.toISOString();
    time.dataset.form = "clock";
    time.textContent = at.toISOString();
    return time;
}

export const say = {
    /// Up to date. Worth a word only after something else was said.
    fine() {
        if (shown === "fine" || shown === "ended") return;
        show("fine", "good", "The connection is back, and this page is up to date.");
        clear = setTimeout(() => place.replaceChildren(), BACK);
    },

    /// No line to the server since then.
    lost(since, why) {
        show("lost", "busy", why ?? "The connection to the server is lost.", " This page shows how things were at ", clock(since), "; it connects again by itself.");
    },

    /// A line, but nothing newer.
    trouble(since, why) {
        show(`trouble ${why}`, "busy", `${why} This page shows how things were at `, clock(since), "; it is brought up to date as soon as that is possible.");
    },

    /// The session is over.
    ended() {
        show("ended", "bad", "You are signed out, so this page is no longer kept up to date. ", signInAgain(), ".");
    },
};
