$TTL 3600
$ORIGIN example.com.
@  IN  SOA ns.root-servers.tw. hostmaster.root-servers.tw. (
           2006030801 ; 每修改一次, 數字就要加 1
           3600 ; refresh
           600 ; retry
           86400 ; expire
           60 ; Negative Caching
           )
   IN   NS   ns.root-servers.tw.
@   IN   MX   10 mail.example.com.
@   IN   A   198.51.100.10
@   IN   AAAA   2001:db8:198::10
mail   IN   A   198.51.100.10
mail   IN   AAAA   2001:db8:198::10
