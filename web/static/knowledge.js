// Files: chosen or dropped anywhere on the page, they go into the page's one form, which is then sent.
(() => {
  const main = document.getElementById("main");
  const form = () => document.getElementById(main.dataset.drop);
  const hasFiles = event => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const send = target => {
    target.classList.add("is-busy");
    target.requestSubmit();
  };
  let depth = 0;
  const mark = () => main.classList.toggle("is-target", depth > 0);

  document.addEventListener("change", event => {
    if (event.target.matches("[data-send]") && event.target.files.length) send(event.target.form);
  });
  main.addEventListener("dragenter", event => { if (hasFiles(event) && form()) { depth += 1; mark(); } });
  main.addEventListener("dragleave", event => { if (hasFiles(event) && form()) { depth -= 1; mark(); } });
  main.addEventListener("dragover", event => { if (hasFiles(event) && form()) event.preventDefault(); });
  main.addEventListener("drop", event => {
    if (!hasFiles(event) || !form()) return;
    event.preventDefault();
    depth = 0;
    mark();
    form().querySelector("[data-send]").files = event.dataTransfer.files;
    send(form());
  });
  // A quoted line is shown where it stands, also when the page was fetched anew.
  document.getElementById("quote")?.scrollIntoView({ block: "center" });
})();
