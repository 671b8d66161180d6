// The one tag a site embeds:  <script src="https://support.example/widget.js" data-lang="zh" data-title="…" async></script>
//   data-lang   the language to begin in (otherwise the page's)     data-title  what stands above the chat
//   data-open   the panel is open from the start                    data-name   the customer's name, if the site knows it
//   data-into   a selector: on wide screens the panel fills that element instead of floating
{
  const tag = document.currentScript;
  const server = new URL(".", tag.src);
  const assets = new URL("widget/{{version}}/", server);
  const parsed = new Promise((done) =>
    document.body ? done() : document.addEventListener("DOMContentLoaded", done, { once: true }),
  );
  Promise.all([import(new URL("panel.js", assets)), parsed]).then(([{ Panel }]) =>
    new Panel({ server, assets, ...tag.dataset }).appear(),
  );
}
