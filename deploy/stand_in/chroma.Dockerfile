# Stands in for chromadb/chroma: the server of the same version out of the Python package.
FROM python:3.11-slim-bookworm
ARG CHROMA
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    pip install --no-cache-dir "chromadb==${CHROMA}"
VOLUME /data
EXPOSE 8000
CMD ["chroma", "run", "--host", "0.0.0.0", "--port", "8000", "--path", "/data"]
