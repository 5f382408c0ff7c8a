// Panes and links into them: a source in the panel opens the panel where it is a drawer, and is marked.
(() => {
  const inbox = () => document.getElementById("inbox");
  const show = pane => { if (inbox()) inbox().dataset.pane = pane; };
  let marked = "";
  const find = id => document.getElementById(id) || (id === "relationships" && document.querySelector("[id^=relationships-]"));
  const mark = id => {
    document.querySelectorAll(".is-target").forEach(node => node.classList.remove("is-target"));
    const target = find(id);
    if (!target) return false;
    marked = id;
    if (target.closest(".about")) show("about"); else if (target.closest(".main")) show("thread");
    target.classList.add("is-target");
    target.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    return true;
  };
  const isPhone = () => matchMedia("(max-width: 44.99em)").matches;

  document.addEventListener("click", event => {
    const source = event.target.closest("a[data-evidence], a.cite, .fact-source a");
    if (source && mark(decodeURIComponent(new URL(source.href).hash.slice(1)))) { event.preventDefault(); return; }
    const opener = event.target.closest("[data-pane-to]");
    if (!opener || !inbox()) return;
    event.preventDefault();
    const pane = inbox().dataset.pane === opener.dataset.paneTo ? "thread" : opener.dataset.paneTo;
    show(pane);
    if (isPhone()) history.pushState({}, "", opener.href);
    document.querySelector(pane === "about" ? ".about [data-pane-to]" : ".main [data-pane-to=about]")?.focus();
  });
  document.addEventListener("keydown", event => {
    if (event.code !== "Escape" || inbox()?.dataset.pane !== "about" || event.target.closest("dialog,textarea,input")) return;
    show("thread");
    document.querySelector(".main [data-pane-to=about]")?.focus();
  });
  // what the stream draws anew is still what was asked for
  document.addEventListener("htmx:afterSettle", () => { if (marked) find(marked)?.classList.add("is-target"); });
  window.addEventListener("popstate", () => show(new URLSearchParams(location.search).get("pane") || "thread"));
  if (location.hash) mark(decodeURIComponent(location.hash.slice(1)));
})();
