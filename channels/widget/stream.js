// Server-sent events over fetch: EventSource can send no Authorization header, and a token must not be in an address.

export async function* events(answer, alive) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = read(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function read(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === "data") fields.data.push(value ?? "");
    else if (name) fields[name] = value ?? "";
  }
  return fields.data.length ? { kind: fields.event, data: JSON.parse(fields.data.join("\n")) } : null;
}
