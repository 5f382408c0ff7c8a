// The board: cards are dragged to another stage, or moved by Shift and an arrow; every move submits the card's own form.
(() => {
  const board = () => document.getElementById("board");
  const cards = column => [...column.querySelectorAll("[data-deal]")];
  const columns = () => [...board().querySelectorAll("[data-stage]")];
  const typing = target => target.closest("input,textarea,select,[contenteditable],dialog");
  const current = () => document.activeElement?.closest("[data-deal]");

  // On a phone one column is seen at a time: begin with one that has something.
  columns().find(column => cards(column).length)?.scrollIntoView({ block: "nearest", inline: "nearest" });

  const focus = card => {
    const link = card?.querySelector("[data-card]");
    link?.focus();
    link?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const move = (card, stage) => {
    const form = card.querySelector("[data-move]");
    if (!form || !stage || card.closest("[data-stage]").dataset.stage === stage) return;
    form.elements.stage_id.value = stage;
    focus(card);
    form.requestSubmit();
  };
  const step = by => {
    const all = cards(board());
    const at = all.indexOf(current());
    focus(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
  };
  const aside = by => {
    const all = columns().filter(column => cards(column).length);
    const column = current()?.closest("[data-stage]");
    const row = column ? cards(column).indexOf(current()) : 0;
    const to = all[Math.min(all.length - 1, Math.max(0, all.indexOf(column) + by))];
    if (to) focus(cards(to)[Math.min(row, cards(to).length - 1)]);
  };
  const shift = by => {
    const card = current();
    if (!card) return;
    const all = columns();
    move(card, all[all.indexOf(card.closest("[data-stage]")) + by]?.dataset.stage);
  };
  const keys = { KeyJ: () => step(1), KeyK: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), ArrowRight: () => aside(1), ArrowLeft: () => aside(-1) };

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.shiftKey && ["ArrowRight", "ArrowLeft"].includes(event.code)) { event.preventDefault(); shift(event.code === "ArrowRight" ? 1 : -1); return; }
    if (event.shiftKey || !keys[event.code]) return;
    if (event.code.startsWith("Arrow") && !current()) return;
    event.preventDefault();
    keys[event.code]();
  });

  let lifted = null;
  const mark = column => columns().forEach(one => one.classList.toggle("is-target", one === column));
  document.addEventListener("dragstart", event => {
    lifted = event.target.closest?.("[data-deal]");
    if (!lifted) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", lifted.dataset.deal);
    lifted.classList.add("is-lifted");
  });
  document.addEventListener("dragover", event => {
    const column = lifted && event.target.closest("[data-stage]");
    if (!column) return;
    event.preventDefault();
    mark(column);
  });
  document.addEventListener("drop", event => {
    const column = lifted && event.target.closest("[data-stage]");
    if (!column) return;
    event.preventDefault();
    move(lifted, column.dataset.stage);
  });
  document.addEventListener("dragend", () => { lifted?.classList.remove("is-lifted"); lifted = null; mark(null); });

  // What is missing is filled in at once: the first field of a refused move has the focus.
  document.addEventListener("htmx:afterSettle", () => {
    document.querySelector(".deal-refused:not([data-seen]) :is(input:not([type=hidden]), select)")?.focus();
    document.querySelectorAll(".deal-refused").forEach(one => { one.dataset.seen = ""; });
  });
  // Cards that were asked for by "Show more" are asked for again, so that a column does not fold back.
  const PAGE = 25;
  document.addEventListener("htmx:configRequest", event => {
    if (!event.target.closest("#deals-pulse") && !event.target.closest("#board form")) return;
    const counts = columns().map(column => [column.dataset.stage, cards(column).length]).filter(([, count]) => count > PAGE);
    if (counts.length) event.detail.parameters.shown = counts.map(pair => pair.join(":"));
  });
  // Somebody fills in a form on a card: what others do meanwhile is shown after it.
  document.addEventListener("htmx:beforeRequest", event => {
    if (event.target.matches("[data-move]")) event.target.closest("details").open = false;
    if (event.target.closest("#deals-pulse") && document.querySelector(".deal-refused, .deal-move[open]")) event.preventDefault();
  });
  document.addEventListener("change", event => { if (event.target.matches("[data-filter-board]")) event.target.form.requestSubmit(); });
})();
