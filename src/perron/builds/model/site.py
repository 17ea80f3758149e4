"""A static site: nginx's configuration, and the steps that make a folder ready to serve."""

from shlex import quote

from perron.contract.node import BuildStep, Interpreter

from .shell import write_file

CONFIG = ".perron/nginx.conf"
TYPES = """
text/html html htm|text/css css|text/javascript js mjs cjs|application/json json map
application/manifest+json webmanifest|application/ld+json jsonld|application/xml xml xsl
application/rss+xml rss|application/atom+xml atom|text/plain txt log|text/markdown md
text/csv csv|text/calendar ics|text/vtt vtt|application/wasm wasm|application/pdf pdf
application/zip zip|application/gzip gz|image/svg+xml svg|image/png png|image/jpeg jpg jpeg
image/gif gif|image/webp webp|image/avif avif|image/x-icon ico|image/bmp bmp|image/tiff tif tiff
font/woff woff|font/woff2 woff2|font/ttf ttf|font/otf otf|application/vnd.ms-fontobject eot
audio/mpeg mp3|audio/ogg ogg oga|audio/wav wav|audio/flac flac|audio/mp4 m4a|audio/aac aac
video/mp4 mp4 m4v|video/webm webm|video/ogg ogv|video/quicktime mov|application/epub+zip epub
"""
PACKED = (
    "text/css text/javascript application/json application/manifest+json application/xml "
    "application/rss+xml application/atom+xml text/plain text/markdown text/csv image/svg+xml "
    "application/wasm font/ttf font/otf"
)
ASSETS = "css|js|mjs|map|json|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf|otf|wasm|mp4|webm|txt|xml"
# A name with a hash never changes its content: 8 or more hex digits anywhere, or what bundlers
# put behind a hyphen in /assets/, where a plain word of eight letters is no hash.
HASHED_HEX = r"[.-](?=[0-9a-f]*[0-9])[0-9a-f]{8,64}\.[a-z0-9.]+$"
HASHED_BUNDLE = r"/assets/.*-(?=[A-Za-z0-9_-]*[A-Z0-9])[A-Za-z0-9_-]{8,}\.[a-z0-9.]+$"
# Unpacked files bear the archive's time, and nginx makes its ETag of time and size: so each file
# gets a time made of its content, which also keeps the ETag of what did not change.
NAME_BY_CONTENT = """
import hashlib, os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for path in (os.path.join(folder, name) for name in names):
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            moment = int.from_bytes(digest[:4], "big") >> 1
            os.utime(path, (moment, moment))
"""


def serve(nginx: str) -> str:
    """Return the command of a static site's ``web`` process.

    Where no sandbox can be made ``/tmp`` is everybody's, and root, who then lacks root's rights,
    can be nobody but root.
    """
    render = f'sed -e "s/@PORT@/$PORT/" -e "s|@TMP@|$TMPDIR|" {CONFIG} > "$TMPDIR/nginx.conf"'
    own = """as=$([ "$(id -u)" != 0 ] || echo 'user root root;')"""
    words = '${as:+-g "$as"} -p "$TMPDIR" -e stderr -c "$TMPDIR/nginx.conf"'
    return f"{render} && {own} && exec {quote(nginx)} {words}"


def prepare(folder: str, python: Interpreter, *, spa: bool) -> BuildStep:
    """Return the step that makes ``folder``, below ``/app``, ready to serve."""
    script = f"{quote(python.path)} - {quote(folder)} <<'PERRON'\n{NAME_BY_CONTENT}PERRON\n"
    command = f"{_must_exist(folder)}{script}{write_file(CONFIG, config(folder, spa=spa))}"
    return BuildStep(title="Preparing the static site", command=command)


def config(folder: str, *, spa: bool) -> str:
    """Return nginx's configuration; ``@PORT@`` and ``@TMP@`` are filled in at the start."""
    root = "/app" if folder == "." else f"/app/{folder}"
    return f"""daemon off;
worker_processes 1;
pid @TMP@/nginx.pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
  types {{
{_types()}
  }}
  default_type application/octet-stream;
  charset utf-8;
  charset_types text/css text/javascript application/json application/xml text/plain text/markdown;
  access_log off;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75s;
  gzip on;
  gzip_comp_level 5;
  gzip_min_length 512;
  gzip_proxied any;
  gzip_vary on;
  gzip_types {PACKED};
  client_body_temp_path @TMP@/nginx-body;
  map $uri $caching {{
    default "no-cache";
    "~{HASHED_HEX}" "public, max-age=31536000, immutable";
    "~{HASHED_BUNDLE}" "public, max-age=31536000, immutable";
  }}
  server {{
    listen 127.0.0.1:@PORT@;
    root "{root}";
    index index.html;
    absolute_redirect off;
    log_not_found off;
    if_modified_since off;
    error_page 404 /404.html;
    error_page 403 =404 /404.html;
    add_header Cache-Control $caching;
    add_header Last-Modified "";
    add_header X-Content-Type-Options nosniff;
    location ~ /\\.(?!well-known(/|$)) {{ return 404; }}
    location ~ ^/(perron\\.toml|Procfile)$ {{ return 404; }}
{_pages(spa)}
  }}
}}
"""


def _must_exist(folder: str) -> str:
    missing = f"{folder} has no index.html: name the folder to serve in [build] publish."
    return f"[ -f {quote(folder + '/index.html')} ] || {{ echo {quote(missing)} >&2; exit 1; }}\n"


def _types() -> str:
    lines = [each for row in TYPES.strip().splitlines() for each in row.split("|")]
    return "\n".join(f"    {line};" for line in lines)


def _pages(spa: bool) -> str:
    if not spa:
        return "    location / { try_files $uri $uri/ $uri.html =404; }"
    return (
        f'    location ~* "\\.({ASSETS})$" {{ try_files $uri =404; }}\n'
        "    location / { try_files $uri $uri/ $uri.html /index.html; }"
    )
