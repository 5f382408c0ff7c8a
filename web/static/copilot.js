// The copilot beside every page: opened by its entry in the navigation or by C, kept open from page to page.
(() => {
  const KEPT = "copilot";
  const panel = () => document.getElementById("copilot");
  const entry = () => document.querySelector("[data-copilot-open]");
  const isWide = () => matchMedia("(min-width: 45em)").matches;
  const isOwnPage = () => Boolean(document.querySelector(".copilot-page"));
  let wantsFocus = false;

  const keep = () => { if (panel()) sessionStorage.setItem(KEPT, panel().dataset.chat || "new"); };
  const place = () => {
    if (panel()) return panel();
    const aside = Object.assign(document.createElement("aside"), { id: "copilot", className: "pane drawer copilot" });
    aside.setAttribute("aria-label", entry().textContent.trim());
    document.querySelector("main").after(aside);
    document.body.classList.add("with-copilot");
    return aside;
  };
  const open = (chat, focus) => {
    wantsFocus = focus;
    htmx.ajax("GET", chat && chat !== "new" ? `/copilot/${chat}?beside=true` : "/copilot?beside=true", { target: place(), swap: "outerHTML" });
  };
  const close = () => {
    panel()?.remove();
    document.body.classList.remove("with-copilot");
    sessionStorage.removeItem(KEPT);
    entry()?.focus();
  };
  const toEnd = () => document.querySelectorAll("[data-thread]").forEach(thread => { thread.scrollTop = thread.scrollHeight; });
  const isNearEnd = thread => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 120;

  document.addEventListener("click", event => {
    const opener = event.target.closest("[data-copilot-open]");
    if (opener && isWide() && !isOwnPage() && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (panel()) close(); else open(sessionStorage.getItem(KEPT), true);
    }
    if (event.target.closest("[data-copilot-close]")) close();
  });
  document.addEventListener("keydown", event => {
    const field = event.target.closest("#copilot-question");
    if (field && event.code === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); field.form.requestSubmit(); return; }
    if (event.code !== "Escape" || event.target.closest("dialog") || !document.getElementById("copilot-chat")) return;
    const stop = document.querySelector("[data-copilot-stop]");
    if (stop && (field || event.target.closest("#copilot-chat") || event.target === document.body)) stop.requestSubmit();
    else if (panel()?.contains(event.target)) close();
  });
  document.addEventListener("input", event => {
    if (event.target.id !== "copilot-question") return;
    event.target.rows = Math.min(8, event.target.value.split("\n").length + Math.floor(event.target.value.length / 60));
  });
  document.addEventListener("htmx:afterSettle", event => {
    const target = event.detail.elt || event.target;
    if (target.id === "copilot") keep();
    if (target.closest?.("#copilot, .copilot-page") && !target.closest(".question")) toEnd();
    if (wantsFocus && target.id === "copilot") { wantsFocus = false; document.getElementById("copilot-question")?.focus(); }
  });
  // Whoever has scrolled up reads; everybody else is taken along with the words.
  let follows = true;
  document.addEventListener("htmx:sseBeforeMessage", () => { const thread = document.querySelector("[data-thread]"); follows = !thread || isNearEnd(thread); });
  document.addEventListener("htmx:sseMessage", () => { if (follows) toEnd(); });
  document.addEventListener("htmx:responseError", event => { if (event.detail.xhr.status === 404 && event.detail.target?.id === "copilot") { sessionStorage.removeItem(KEPT); close(); } });

  if (isOwnPage()) toEnd();
  else if (entry() && matchMedia("(min-width: 80em)").matches && sessionStorage.getItem(KEPT)) open(sessionStorage.getItem(KEPT), false);
})();
