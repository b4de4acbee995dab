// What a live update leaves as the reader has it: details that she opened, forms under way, times in her own words, and
// the place of the keyboard when what it was on is gone.

const { htmx } = window;

/// Attributes that scripts or the reader set; the server knows nothing of them.
function own(element, name) {
    switch (name) {
        case "open":
            return element instanceof HTMLDetailsElement || element instanceof HTMLDialogElement;
        case "aria-busy":
        case "aria-disabled":
            return true;
        case "class":
            return element.hasAttribute("aria-disabled");
        case "hidden":
            return element.matches(".copy");
        case "tabindex":
            return element === document.activeElement;
        default:
            return false;
    }
}

let path = [];

htmx.registerExtension("live", {
    htmx_before_morph_attr: (element, { attrName }) => !own(element, attrName),
    htmx_before_morph_node: (element, { newNode }) => {
        // It is told in other words than the server's, and is the same time.
        if (element instanceof HTMLTimeElement) return element.dateTime !== newNode.dateTime;
        return true;
    },
    htmx_before_swap: () => {
        path = [];
        for (let at = document.activeElement; at && at !== document.body; at = at.parentElement) path.push(at);
    },
    htmx_after_swap: () => {
        if (path.length === 0 || document.activeElement !== document.body) return;
        const near = path.find((element) => element.isConnected);
        if (!near || near === document.body) return;
        if (!near.hasAttribute("tabindex")) near.setAttribute("tabindex", "-1");
        near.focus({ preventScroll: true });
    },
});
