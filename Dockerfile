# The service and its workers in one image: `gunicorn … 'api.wsgi:app()'` by default, `shelfgate worker` by another command.
# docs/howto/run.md tells how it is run.

FROM python:3.13-slim AS build

WORKDIR /src
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "uv>=0.9" && python -m venv /opt/shelfgate
COPY constraints.txt pyproject.toml README.md LICENSE rulesets.yaml ./
COPY tools/wheel_rules.py tools/
COPY rules rules
COPY engine engine
COPY mappings mappings
COPY channels channels
COPY pipeline pipeline
COPY api api
COPY cli cli
# Versions and hashes of everything that is fetched are those of constraints.txt.
RUN /opt/uv/bin/uv pip install --no-cache --compile-bytecode --python /opt/shelfgate/bin/python \
    --constraint constraints.txt ".[server,postgres,gunicorn]"

FROM python:3.13-slim

COPY --from=build /opt/shelfgate /opt/shelfgate
RUN useradd --system --create-home --home-dir /var/lib/shelfgate shelfgate
USER shelfgate
WORKDIR /var/lib/shelfgate
ENV PATH=/opt/shelfgate/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "64", \
     "--graceful-timeout", "25", "--no-control-socket", "--logger-class", "api.gunicorn_logs.Logger", "api.wsgi:app()"]
