# The API in one image, and the scripts of the loop in another (--target loop).
#
#     docker build -t actioncast .
#     docker run --rm -p 8080:8080 actioncast                           # the bundled example, on SQLite in /tmp
#     docker run --rm -p 8080:8080 -e DATABASE_URL=... actioncast       # your database, the champions in model/
#
# It needs no right and no writable disk but /tmp: docker run --read-only --tmpfs /tmp --cap-drop ALL --user 10001 ...

# By tag here, so that `docker build .` works on whatever of it a machine has; deploy/image.sh, which builds what is
# deployed, passes the same tag with its digest from deploy/base/Dockerfile.
ARG BASE=python:3.13-slim

FROM ${BASE} AS base
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# The official images come without the standard library's bytecode: with it Python starts in half the time.
RUN python -m compileall -q -x '/(test|idlelib|tkinter|ensurepip|site-packages)/' "$(python -c 'import os; print(os.path.dirname(os.__file__))')"

# What the champions in model/ need at serving: numpy alone, or LightGBM as well. A file, so that a promotion which
# needs the same libraries leaves the layers below in the cache.
FROM base AS champions
# auto: as the champions' cards say; slim: never LightGBM (such a champion is refused with a message); full: always
ARG SERVING=auto
WORKDIR /src
COPY . .
RUN mkdir -p model \
  && case "$SERVING" in \
    slim) set=api ;; \
    full) set=api-lightgbm ;; \
    auto) if grep -rqs '"estimator": "lightgbm"' model; then set=api-lightgbm; else set=api; fi ;; \
    *) echo "SERVING is '$SERVING', expected auto, slim or full" >&2; exit 1 ;; \
  esac \
  && echo "$set" > /requirements-set

FROM base AS tools
ARG UV=0.13.9
RUN pip install --no-cache-dir --root-user-action=ignore "uv==$UV" && uv venv --quiet /venv
WORKDIR /requirements
COPY requirements.txt ./
COPY requirements requirements/

FROM tools AS dependencies
COPY --from=champions /requirements-set /requirements-set
RUN uv pip install --no-cache --quiet --python /venv/bin/python --require-hashes --compile-bytecode \
    -r "requirements/$(cat /requirements-set).txt"

# The example: the project's own scripts on the bundled recording, forecasts and checks of one week included.
FROM base AS example
COPY --from=dependencies /venv /venv
WORKDIR /src
COPY *.py ./
COPY actioncast actioncast/
COPY sql sql/
COPY data data/
COPY deploy/example.toml deploy/
RUN python rehearse.py --config deploy/example.toml --output /example >/dev/null && rm -rf /example/*.db-*

FROM base AS code
WORKDIR /app
COPY app.py make_predictions.py utils.py config.toml ./
COPY actioncast actioncast/
COPY sql sql/
COPY deploy deploy/
COPY --from=champions /src/model model/
RUN python -m compileall -q .

# Where the scheduled scripts run in a container instead of on GitHub: everything, training included. Where all candidates
# of config.toml are linear, requirements/etl.txt is enough, and a third of the size.
FROM tools AS loop-dependencies
ARG LOOP_REQUIREMENTS=requirements.txt
RUN uv pip install --no-cache --quiet --python /venv/bin/python --require-hashes --compile-bytecode -r "$LOOP_REQUIREMENTS"

FROM base AS loop
# libgomp1: LightGBM is linked against it and slim images lack it
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1=* && rm -rf /var/lib/apt/lists/*
COPY --from=loop-dependencies /venv /venv
COPY --from=code /app /app
WORKDIR /app
COPY *.py ./
COPY data data/
USER 10001:10001
CMD ["python", "update_real_data.py"]

FROM base AS api
COPY --from=champions /requirements-set /requirements-set
RUN if [ "$(cat /requirements-set)" = api-lightgbm ]; then \
    apt-get update && apt-get install -y --no-install-recommends libgomp1=* && rm -rf /var/lib/apt/lists/*; \
  fi
COPY --from=dependencies /venv /venv
COPY --from=example /example /app/example
COPY --from=code /app /app
WORKDIR /app
ARG REVISION=unknown
ARG MODEL_VERSION=unknown
LABEL org.opencontainers.image.title="Actioncast" \
  org.opencontainers.image.description="Hourly forecasts over HTTP" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.revision="$REVISION" \
  actioncast.model.version="$MODEL_VERSION"
ENV PORT=8080 REVISION=$REVISION
EXPOSE 8080
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["python", "-m", "deploy.smoke", "--alive"]
CMD ["python", "-m", "deploy.serve"]
