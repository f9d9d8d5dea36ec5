# The operator's image: no shell, no package manager, not root. Build: docker build -t registry.example/ringfence:0.1.0 .
FROM debian:12-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv
WORKDIR /src
COPY .ci/uv.txt .ci/uv.txt
RUN python3 -m venv /uv && /uv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r .ci/uv.txt
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY operator operator
ENV UV_PROJECT_ENVIRONMENT=/opt/ringfence UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
RUN /uv/bin/uv sync --locked --no-dev --no-editable --compile-bytecode --python /usr/bin/python3

# Its /usr/bin/python3.11 is the one that the environment was made with.
FROM gcr.io/distroless/python3-debian12:nonroot
COPY --from=build /opt/ringfence /opt/ringfence
USER 65532:65532
ENTRYPOINT ["/opt/ringfence/bin/python", "-m", "ringfence"]
CMD ["run"]
