// The list: rows change in place; a row that would push others waits behind "2 new" while somebody is on the list.
(() => {
  const list = () => document.getElementById("list");
  const fresh = new Set();
  const busy = () => list().matches(":hover") || list().contains(document.activeElement) || list().scrollTop > 8;
  const refresh = () => { fresh.clear(); htmx.trigger(list(), "refresh"); };

  const offer = () => {
    const button = list().querySelector("[data-newer]");
    const words = button.querySelector("[data-newer-text]");
    words.textContent = fresh.size === 1 ? words.dataset.one : words.dataset.many.replace("{}", fresh.size);
    button.hidden = fresh.size === 0;
  };
  const arrive = row => {
    if (!list() || row.dataset.inFolder === "no") return;
    const first = list().querySelector("li[id^=conversation-]");
    if (first && first.id === row.id) return;
    const known = document.getElementById(row.id);
    if (known && first && Number(row.dataset.at) <= Number(known.dataset.was ?? known.dataset.at)) return;
    fresh.add(row.id);
    if (busy()) offer(); else refresh();
  };

  document.addEventListener("htmx:oobErrorNoTarget", event => {
    const row = event.detail.content;
    if (row?.id?.startsWith("conversation-")) arrive(row);
  });
  document.addEventListener("htmx:oobBeforeSwap", event => {
    const target = event.detail.target;
    if (!target.id?.startsWith("conversation-")) return;
    const incoming = event.detail.fragment.firstElementChild ?? event.detail.fragment;
    if (target.querySelector("[aria-current]")) incoming.querySelector(".row")?.setAttribute("aria-current", "true");
    const moved = Number(incoming.dataset.at) > Number(target.dataset.at);
    if (moved) queueMicrotask(() => { target.dataset.was = target.dataset.at = "0"; arrive(incoming.cloneNode(true)); });
  });
  document.addEventListener("click", event => {
    if (!event.target.closest("[data-newer]")) return;
    refresh();
    list().scrollTop = 0;
  });
})();
