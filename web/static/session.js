// A session that was ended elsewhere ends here too: the page is asked for anew, which leads to the door and back. A
// conversation that the reader sees no more is left for the list.
(() => {
  htmx.createEventSource = url => {
    const source = new EventSource(url, { withCredentials: true });
    source.addEventListener("end", () => { source.close(); location.reload(); });
    source.addEventListener("gone", () => { source.close(); location.assign("/inbox"); });
    return source;
  };
})();
