// What every page loads. Pages work without any of it, but for live updates and curves.
import "./htmx.js";
import "htmx.org/dist/ext/hx-sse.js";
import "./times.js";
import "./moments.js";
import "./forms.js";
import "./copy.js";
import "./menus.js";
import "./live.js";
import "./chart.js";
import "./logs.js";
