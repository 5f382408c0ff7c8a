// A table of records: changed rows are drawn anew in place, pages far away leave the document, cells are edited by key.
(() => {
  const scroll = document.getElementById("table-scroll");
  if (!scroll) return;
  const table = () => scroll.querySelector("table.records");
  const NEAR = 4; // pages that stay in the document on each side of what is seen

  // Rows change in place; one that is not here yet only offers itself, for nothing may jump.
  const elsewhere = new Set();
  const offer = () => {
    const button = scroll.querySelector("[data-newer]");
    button.textContent = elsewhere.size === 1 ? button.dataset.one : button.dataset.many.replace("{}", elsewhere.size);
    button.hidden = elsewhere.size === 0;
  };
  const refresh = id => {
    const row = document.getElementById(`record-${id}`);
    if (!row) { elsewhere.add(id); offer(); return; }
    if (row.querySelector("form")) return;
    const columns = encodeURIComponent(table().dataset.columns);
    htmx.ajax("GET", `${table().dataset.path}/${id}/row?columns=${columns}`, { target: row, swap: "outerHTML" });
  };
  document.addEventListener("htmx:sseBeforeMessage", event => {
    if (event.target.id !== "table-pulse") return;
    event.preventDefault();
    refresh(event.detail.data);
  });
  scroll.querySelector("[data-newer]").addEventListener("click", () => location.reload());

  // A page out of sight is kept as text, with its height in its place.
  const stored = new WeakMap();
  const store = page => {
    if (stored.has(page) || page.querySelector("form")) return;
    const height = page.getBoundingClientRect().height;
    stored.set(page, page.innerHTML);
    page.replaceChildren(document.createElement("tr"));
    page.firstChild.style.blockSize = `${height}px`;
  };
  const restore = page => {
    if (!stored.has(page)) return;
    page.innerHTML = stored.get(page);
    stored.delete(page);
    htmx.process(page);
    document.dispatchEvent(new Event("getsale:rows"));
  };
  const tidy = () => {
    const pages = [...scroll.querySelectorAll(".table-page")];
    const middle = scroll.scrollTop + scroll.clientHeight / 2;
    const at = pages.findIndex(page => page.offsetTop + page.offsetHeight >= middle);
    pages.forEach((page, index) => (Math.abs(index - at) > NEAR ? store(page) : restore(page)));
  };
  let waiting = 0;
  scroll.addEventListener("scroll", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(tidy); }, { passive: true });

  // Without a script the fields of a filter take two requests; with one, the second part follows the choice.
  document.addEventListener("htmx:configRequest", event => {
    if (event.detail.elt.querySelector?.("[data-part]")) event.detail.parameters.part = "adding";
  });
  // Counts that arrive while somebody names a view wait for the next time.
  document.addEventListener("htmx:beforeSwap", event => {
    const tabs = event.detail.target;
    if (tabs.id === "table-tabs" && tabs.contains(document.activeElement) && document.activeElement.matches("input")) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", event => event.target.querySelector?.("[autofocus]")?.focus());
  document.addEventListener("keydown", event => {
    const form = event.target.closest("[data-cell]");
    if (form && event.code === "Escape") { event.preventDefault(); form.querySelector("[data-cancel]").click(); }
    const row = event.target.closest("tr");
    if (event.target.matches(".row-link") && event.code === "KeyE") { event.preventDefault(); row.querySelector("a.cell")?.click(); }
  });
})();
