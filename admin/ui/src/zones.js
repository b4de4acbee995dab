// Between UTC, which addresses hold, and the reader's own clock, which fields for a date and time show. Plain functions;
// moments.js puts them on the page.

const two = (number) => String(number).padStart(2, "0");

/// `2026-01-31T12:00:05` in UTC as her clock tells it, in the same form; what is none stays away.
export function here(utc) {
    const at = new Date(`${utc}Z`);
    if (Number.isNaN(at.valueOf())) return "";
    const day = [String(at.getFullYear()).padStart(4, "0"), two(at.getMonth() + 1), two(at.getDate())].join("-");
    return `${day}T${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/// The moment that her clock tells so, exactly: `2026-01-31T12:00:05.000Z`.
export function moment(told) {
    const at = new Date(told);
    return Number.isNaN(at.valueOf()) ? "" : at.toISOString();
}
