// Questions of the page are asked in the chat: the widget listens for these two events on any site.

for (const button of document.querySelectorAll("[data-ask]")) {
  const question = button.dataset.ask;
  const event = question ? new CustomEvent("aftercare:ask", { detail: question }) : new CustomEvent("aftercare:open");
  button.addEventListener("click", () => dispatchEvent(event));
}
