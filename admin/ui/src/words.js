// Points in time in words. Plain functions; times.js puts them on the page.

const STEPS = [
    [60, 1, "s"],
    [3600, 60, "min"],
    [86_400, 3600, "h"],
    [Infinity, 86_400, "d"],
];

/// A length of time in its largest unit, a day or more in its two largest: "42 s", "3 min", "5 h", "2 d 4 h".
export function span(seconds) {
    const [, unit, word] = STEPS.find(([below]) => seconds < below);
    const whole = Math.floor(seconds / unit);
    const hours = Math.floor((seconds % 86_400) / 3600);
    return word === "d" && hours > 0 ? `${whole} d ${hours} h` : `${whole} ${word}`;
}

/// A point in time as seen from now, both in milliseconds: "3 min ago", "in 10 s"; with the form "for", how long ago it
/// began: "for 3 min"; with the form "due", when it is its turn, which is never past: what is overdue comes at any moment.
export function words(form, at, now) {
    const seconds = Math.round((now - at) / 1000);
    if (form === "due") return seconds > -2 ? "at any moment" : `in ${span(-seconds)}`;
    if (form === "for") return `for ${span(Math.max(seconds, 0))}`;
    if (Math.abs(seconds) < 2) return "just now";
    return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}
