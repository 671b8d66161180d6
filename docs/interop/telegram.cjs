// telegram-test-api 4.2.1 speaks the Bot API of years ago. What today's clients need beyond it, and what people do that it
// has no word for: PORT=9002 node telegram.cjs FOLDER, where FOLDER holds node_modules.
const { join, resolve } = require("path");
const modules = join(resolve(process.argv[2] || "."), "node_modules");
const found = require(join(modules, "telegram-test-api"));
const express = require(join(modules, "express"));
const Server = found.TelegramServer || found.default || found;

const BOT = { id: 666, is_bot: true, first_name: "Test", username: "TestNameBot", can_join_groups: true };
const ok = (response, result) => response.json({ ok: true, result });
const seconds = () => Math.floor(Date.now() / 1000);

const format = Server.formatUpdate;
Server.formatUpdate = (update) => {
  if (update.raw) return { update_id: update.updateId, ...update.raw };
  const formatted = format(update);
  if (formatted.callback_query) formatted.callback_query.chat_instance = "1";
  return formatted;
};

class Today extends Server {
  constructor(config) {
    super(config);
    this.waiting = new Set(); // questions for updates that are open
    this.files = {};
    this.keyboards = {};
    this.commands = {};
    const routes = express.Router();
    routes.use(express.json({ limit: "20mb" }), express.urlencoded({ extended: true }));
    routes.get("/_said/:chat", (request, response) => response.json(this.said(request.params.chat)));
    routes.post("/_file/:id", (request, response) => ok(response, Boolean((this.files[request.params.id] = request.body.base64))));
    routes.post("/_raw", async (request, response) => {
      await this.addUserUpdate({ botToken: request.body.token, updateId: this.updateId, raw: request.body.update, time: Date.now(), isRead: false });
      ok(response, true);
    });
    routes.get("/file/bot:token/:id", (request, response) => response.send(Buffer.from(this.files[request.params.id] || "", "base64")));
    routes.all("/bot:token/:method", (request, response, next) => this.call(request, response, next));
    this.webServer.use(routes);
    const stack = this.webServer._router.stack;
    stack.splice(2, 0, stack.pop()); // before its own, after what makes a request readable
  }

  said(chat) {
    return this.storage.botMessages
      .filter((one) => String(one.message.chat_id) === chat)
      .map((one) => ({ message_id: one.messageId, text: one.message.text, reply_markup: this.keyboards[one.messageId] || one.message.reply_markup }));
  }

  call(request, response, next) {
    const asked = { ...request.query, ...request.body };
    const token = request.params.token;
    switch (request.params.method) {
      case "getMe": return ok(response, BOT);
      case "answerCallbackQuery": case "sendChatAction": case "setMyDescription": return ok(response, true);
      case "setMyCommands":
        this.commands[asked.language_code || ""] = typeof asked.commands === "string" ? JSON.parse(asked.commands) : asked.commands;
        return ok(response, true);
      case "getMyCommands": return ok(response, this.commands[asked.language_code || ""] || []);
      case "getWebhookInfo": return ok(response, { url: (this.webhooks[token] || {}).url || "", has_custom_certificate: false, pending_update_count: 0 });
      case "deleteWebhook": this.deleteWebhook(token); return ok(response, true);
      case "getFile": return ok(response, { file_id: asked.file_id, file_unique_id: asked.file_id, file_path: asked.file_id });
      case "editMessageReplyMarkup":
        this.keyboards[asked.message_id] = typeof asked.reply_markup === "string" ? JSON.parse(asked.reply_markup) : asked.reply_markup;
        return ok(response, true);
      case "getUpdates": return this.updates(token, Number(asked.offset || 0), Number(asked.timeout || 0), Number(asked.limit || 100), response);
      default: return next();
    }
  }

  updates(token, offset, timeout, limit, response) {
    const mine = (update) => update.botToken === token;
    if (offset) this.storage.userMessages = this.storage.userMessages.filter((update) => !mine(update) || update.updateId >= offset);
    const list = () => this.storage.userMessages.filter(mine).slice(0, limit).map((update) => Server.formatUpdate(update));
    if (list().length || !timeout) return ok(response, list());
    const end = () => {
      clearTimeout(timer);
      if (this.waiting.delete(end) && !response.destroyed) ok(response, list());
    };
    const timer = setTimeout(end, timeout * 1000);
    this.waiting.add(end);
    response.on("close", () => this.waiting.delete(end) && clearTimeout(timer));
    return undefined;
  }

  addBotMessage(raw, token) {
    super.addBotMessage(raw, token);
    const kept = this.storage.botMessages.at(-1);
    const chat = { id: Number(raw.chat_id), type: "private", first_name: "u" };
    return { message_id: kept.messageId, date: seconds(), chat, from: BOT, text: raw.text, ...(raw.reply_markup ? { reply_markup: raw.reply_markup } : {}) };
  }

  async addUserUpdate(update) {
    const hook = this.webhooks[update.botToken];
    this.updateId++;
    if (!hook) {
      this.storage.userMessages.push(update);
      [...this.waiting].forEach((end) => end());
      return;
    }
    const headers = { "content-type": "application/json", ...(hook.secret_token ? { "X-Telegram-Bot-Api-Secret-Token": hook.secret_token } : {}) };
    for (let pause = 200; pause < 60000; pause *= 1.5) { // as Telegram: until it is acknowledged
      try {
        if ((await fetch(hook.url, { method: "POST", headers, body: JSON.stringify(Server.formatUpdate(update)) })).ok) return;
      } catch { /* nobody there: again */ }
      await new Promise((again) => setTimeout(again, pause));
    }
  }
}

new Today({ port: Number(process.env.PORT || 9002), host: "127.0.0.1", storeTimeout: 3600 }).start().then(() => console.log("ready"));
