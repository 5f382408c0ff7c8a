// The answer to a step may come after somebody went on writing: it is dropped, and the step is asked for again.
(() => {
  const form = document.getElementById("segment-form");
  if (!form) return;
  const asked = new WeakMap();
  let edits = 0;
  form.addEventListener("input", () => { edits += 1; });
  document.addEventListener("htmx:beforeRequest", event => asked.set(event.detail.xhr, edits));
  document.addEventListener("htmx:beforeSwap", event => {
    const { target, xhr, requestConfig } = event.detail;
    if (target.id !== "segment-editor" || asked.get(xhr) === edits) return;
    event.detail.shouldSwap = false;
    const act = requestConfig.parameters.act ?? "";
    htmx.ajax("POST", "/segments/editing", { source: form, target: "#segment-editor", swap: "morph:outerHTML", values: { act } });
  });
  // The next thing to choose is in hand.
  document.addEventListener("htmx:afterSettle", event => {
    if (event.detail.target.id !== "segment-editor") return;
    const act = event.detail.requestConfig?.parameters?.act ?? "";
    if (act.startsWith("add") || act.startsWith("group")) [...document.querySelectorAll("#segment-editor select[name$='.field']")].find(one => !one.value)?.focus();
  });
})();
