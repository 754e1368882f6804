# Stands in for orthancteam/orthanc: Debian's Orthanc with DICOMweb, set up by the same three variables.
FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends orthanc orthanc-dicomweb \
    && rm -rf /var/lib/apt/lists/*
COPY orthanc.py /entrypoint.py
VOLUME /var/lib/orthanc/db
EXPOSE 8042 4242
CMD ["python", "/entrypoint.py"]
