// Does something once to an element of TensorBoard's page, as soon as it is there: pages are made when they are opened.
function onceFound(name, isReady, act) {
  const find = (root) =>
    root.querySelector(name) ??
    [...root.querySelectorAll("*")].map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
  const waiting = setInterval(() => {
    const found = find(document);
    if (found && isReady(found)) {
      clearInterval(waiting);
      act(found);
    }
  }, 300);
}
