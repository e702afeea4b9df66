# Holdfast as one image; the command chooses what of it runs: api, worker or migrate.
FROM node:24-bookworm-slim
# for command steps of runbooks: curl, and ps to find what an earlier attempt left behind; for Git sources: git and ssh
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates curl git openssh-client procps \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY . .
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production \
  HOLDFAST_LISTEN_ADDRESS=0.0.0.0 \
  HOLDFAST_DATA_DIR=/data
EXPOSE 8080
CMD ["npm", "run", "--silent", "api"]
