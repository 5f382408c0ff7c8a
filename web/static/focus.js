// Focus never falls to the page: when what had it is gone, it goes to its like, else to what is nearest.
(() => {
  let last = null;
  const lost = () => !document.activeElement || document.activeElement === document.body || !document.activeElement.isConnected;
  const nearest = () => {
    if (last.getClientRects().length) return last;
    const twin = last.id && document.getElementById(last.id);
    if (twin && twin.getClientRects().length) return twin;
    const row = last.matches(".row") && document.querySelector(".row[aria-current]");
    return row || document.querySelector("[data-draft]:not([data-editing]) .draft-title") || document.querySelector(".thread");
  };
  const keep = () => { if (last && lost()) nearest()?.focus({ preventScroll: true }); };

  document.addEventListener("focusin", event => { last = event.target; });
  document.addEventListener("pointerdown", () => { last = null; });
  for (const name of ["htmx:afterSettle", "htmx:afterRequest", "getsale:streamed"]) document.addEventListener(name, () => setTimeout(keep));
})();
