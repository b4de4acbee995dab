// The extension for server-sent events looks for a global htmx while it is loaded, so this comes before it.
import htmx from "htmx.org/dist/htmx.esm.js";

window.htmx = htmx;
