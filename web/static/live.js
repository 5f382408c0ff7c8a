// Live updates: fragments come over the stream and replace their like. An open editor is never overwritten.
(() => {
  let streaming = false;
  const editing = () => document.querySelector("[data-draft][data-editing]");
  const openConversation = () => document.getElementById("inbox")?.dataset.conversation;

  document.addEventListener("htmx:sseBeforeMessage", () => { streaming = true; });
  document.addEventListener("htmx:sseMessage", () => { streaming = false; document.dispatchEvent(new Event("getsale:streamed")); });

  document.addEventListener("htmx:oobBeforeSwap", event => {
    const target = event.detail.target;
    if (!streaming || !editing()) return;
    if (target.id?.startsWith("dock-")) { event.detail.shouldSwap = false; return; }
    if (!target.hasAttribute("data-draft-slot")) return;
    const incoming = event.detail.fragment.querySelector?.("[data-draft]");
    const current = editing();
    event.detail.shouldSwap = false;
    const same = incoming && incoming.id === current.id && incoming.dataset.version === current.dataset.version;
    if (!same) current.querySelector("[data-changed]").hidden = false;
  });

  // Somebody looks at the conversation while a message comes in: it is read.
  document.addEventListener("getsale:streamed", () => {
    const id = openConversation();
    const row = id && document.querySelector("#inbox[data-marks-read]") && document.querySelector(`#conversation-${id} .row.is-unread`);
    const seen = document.visibilityState === "visible" && document.querySelector(".thread")?.getClientRects().length;
    if (row && seen) htmx.ajax("POST", `/conversations/${id}/reading`, { swap: "none", values: { folder: document.getElementById("inbox").dataset.folder } });
  });
})();
