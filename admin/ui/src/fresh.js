// Calls back for every element of a page that matches, also for those that live updates bring in later.

/// Runs `mend` on each element that matches `selector`, now and whenever one is added.
export function each(selector, mend) {
    const within = (root) => {
        if (root.matches?.(selector)) mend(root);
        for (const element of root.querySelectorAll?.(selector) ?? []) mend(element);
    };
    within(document);
    new MutationObserver((changes) => {
        for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) within(node);
    }).observe(document.documentElement, { childList: true, subtree: true });
}
