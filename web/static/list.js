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
    if (row.dataset.inFolder === "no" || list().querySelector("[data-rows] > li")?.id === row.id) return;
    fresh.add(row.id);
    if (busy()) offer(); else setTimeout(refresh);
  };

  // A row that is not in the list yet lands in a hidden list first, so that every fragment has its place.
  document.addEventListener("htmx:sseBeforeMessage", event => {
    for (const [, id] of event.detail.data.matchAll(/id="(conversation-[0-9a-f-]+)"/g)) {
      if (document.getElementById(id)) continue;
      const place = document.createElement("li");
      place.id = id;
      place.dataset.at = "0";
      document.getElementById("arrivals")?.append(place);
    }
  });
  document.addEventListener("htmx:oobBeforeSwap", event => {
    const target = event.detail.target;
    if (!target.id?.startsWith("conversation-")) return;
    const incoming = event.detail.fragment.firstElementChild ?? event.detail.fragment;
    if (target.querySelector("[aria-current]")) incoming.querySelector(".row")?.setAttribute("aria-current", "true");
    if (Number(incoming.dataset.at) > Number(target.dataset.at)) arrive(incoming);
  });
  document.addEventListener("click", event => {
    if (!event.target.closest("[data-newer]")) return;
    refresh();
    list().scrollTop = 0;
  });
})();
