# Sourced after domains.sh: nginx with two workers, which serves $scratch/www on 127.44.0.1.
# shellcheck shell=bash disable=SC2154,SC2034

nginx_options=(-e "$scratch/nginx.log" -p "$scratch" -c "$scratch/nginx.conf")

# configure_nginx PORT
configure_nginx() {
    chmod 755 "$scratch" # its workers may be another user's
    cat >"$scratch/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $scratch/nginx.pid;
error_log $scratch/nginx.log;
events { worker_connections 512; }
http {
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_body_temp_path $scratch/n1;
    proxy_temp_path $scratch/n2;
    fastcgi_temp_path $scratch/n3;
    uwsgi_temp_path $scratch/n4;
    scgi_temp_path $scratch/n5;
    server { listen 127.44.0.1:$1; root $scratch/www; }
}
CONF
}
