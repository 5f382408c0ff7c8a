// The page of a record: others' changes are drawn in place, but never under a form that somebody is writing in.
(() => {
  const card = () => document.getElementById("card");
  let isBehind = false;
  const isBusy = () => card().querySelector("[data-field]") || card().contains(document.activeElement?.closest("form"));
  const refresh = () => {
    if (isBusy()) { isBehind = true; return; }
    isBehind = false;
    htmx.ajax("GET", location.pathname, { target: "#card", swap: "morph:outerHTML" });
  };
  document.addEventListener("htmx:sseBeforeMessage", event => {
    if (event.target.id !== "card-pulse") return;
    event.preventDefault();
    if (event.detail.data === card().dataset.record) refresh();
  });
  // Somebody began to write while the answer was on its way.
  document.addEventListener("htmx:beforeSwap", event => {
    if (event.detail.target?.id !== "card" || event.detail.requestConfig.verb !== "get" || !isBusy()) return;
    if (event.detail.requestConfig.elt.matches?.("[data-cancel]")) return;
    event.detail.shouldSwap = false;
    isBehind = true;
  });
  // Only the strip of stages goes along: the page stays where a link has opened it.
  const showStage = () => {
    const stage = document.querySelector("[aria-current=step]")?.parentElement, strip = stage?.closest(".steps");
    if (strip) strip.scrollLeft = stage.offsetLeft - (strip.clientWidth - stage.offsetWidth) / 2;
  };
  showStage();
  document.addEventListener("focusout", () => { if (isBehind) setTimeout(refresh); });
  document.addEventListener("htmx:afterSwap", event => event.detail.elt?.querySelector?.("[autofocus]")?.focus());
  document.addEventListener("keydown", event => {
    const form = event.target.closest("[data-field]");
    if (form && event.code === "Escape") { event.preventDefault(); form.querySelector("[data-cancel]").click(); }
  });
})();
