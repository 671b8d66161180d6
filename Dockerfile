FROM python:3.13-slim
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE config.yaml ./
COPY bot bot
COPY channels channels
COPY handoff handoff
COPY intents intents
COPY knowledge knowledge
RUN pip install --no-cache-dir --constraint constraints.txt --editable . \
 && python -m compileall -q bot channels handoff intents knowledge \
 && python -m bot.knowledge_base \
 && useradd --uid 10001 aftercare && install --directory --owner aftercare data
USER 10001
VOLUME /app/data
EXPOSE 8080
HEALTHCHECK --timeout=5s --start-period=30s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
CMD ["aftercare", "serve", "--host", "0.0.0.0", "--port", "8080"]
