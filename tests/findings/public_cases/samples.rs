//! A small file in the format of each tool, system and archive; names and addresses are invented.

pub const K6_CSV: &str =
    "metric_name,timestamp,metric_value,check,error,expected_response,group,method,name,proto,scenario,status,url
http_reqs,1772445600,1.000000,,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/
http_req_duration,1772445600,245.590000,,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/
http_req_waiting,1772445600,240.000000,,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/
vus,1772445600,3.000000,,,,,,,,,,
http_reqs,1772445601,1.000000,,,true,,GET,https://example.com/a,HTTP/2.0,warm,500,https://example.com/a
http_req_duration,1772445601,1500.000000,,,true,,GET,https://example.com/a,HTTP/2.0,warm,500,https://example.com/a
iteration_duration,1772445601,1750.000000,,,,,,,,default,,
vus,1772445601,4.000000,,,,,,,,,,
";

pub const K6_JSON: &str = r#"{"type":"Metric","data":{"name":"http_req_duration","type":"trend","contains":"time","thresholds":[],"submetrics":null},"metric":"http_req_duration"}
{"metric":"http_reqs","type":"Point","data":{"time":"2026-03-02T11:00:00.5+01:00","value":1,"tags":{"method":"GET","name":"https://example.com/","scenario":"default","status":"200"}}}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-03-02T11:00:00.5+01:00","value":400.25,"tags":{"method":"GET","name":"https://example.com/","scenario":"default","status":"200"}}}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-03-02T11:00:00.6+01:00","value":550,"tags":{"method":"GET","name":"https://example.com/a","scenario":"warm","status":"500"}}}
{"metric":"vus","type":"Point","data":{"time":"2026-03-02T11:00:01+01:00","value":3,"tags":null}}
"#;

pub const JMETER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect
1772445600000,120,GET /login,200,OK,T 1-1,text,true,,100,10,1,1,https://example.com/login,110,0,10
1772445600130,80,GET /home,200,OK,T 1-1,text,true,,100,10,1,1,https://example.com/home,70,0,0
1772445600000,210,Login,200,\"Number of samples in transaction : 2, number of failing samples : 0\",T 1-1,,true,,200,20,1,1,null,180,0,10
1772445599000,2000,GET /slow,500,Error,T 1-2,text,false,,100,10,1,2,https://example.com/slow,70,0,0
";

pub const GATLING: &str = "RUN\texample.Basic\tbasic\t1772445600000\t \t3.5.1
USER\tS\tSTART\t1772445600100
REQUEST\t\trequest_1\t1772445600120\t1772445600220\tOK\t 
REQUEST\tcart,pay\trequest_2\t1772445600320\t1772445600470\tKO\tstatus.find.is(200), but actually found 500
GROUP\tcart,pay\t1772445600320\t1772445600470\t150\tKO
USER\tS\tEND\t1772445600500
";

pub const SWF: &str = "; Version: 2.2
; UnixStartTime: 1772445600
; MaxProcs: 64
    1     0     5    100     8  -1    -1     8    -1    -1  1   3   1  -1  1 -1 -1 -1
    2    30     0     10     1  -1    -1     1    -1    -1  1   3   1  -1  1 -1 -1 -1
    3    40     0     -1     1  -1    -1     1    -1    -1  5   3   1  -1  1 -1 -1 -1
";

pub const GOOGLE_2011: &str = "0,2,3418309,0,4155527081,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,3,9,0.125,0.07446,0.0004244,0
600000000,,3418310,0,,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,3,9,0.125,0.07446,0.0004244,0
601000000,,3418310,0,1,1,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,3,9,0.125,0.07446,0.0004244,0
602500000,,3418311,0,,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,0,2,0.0125,0.07446,0.0004244,
9223372036854775807,,3418311,0,,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,0,2,0.0125,0.07446,0.0004244,
";

pub const GOOGLE_2019: &str = "time,type,collection_id,scheduling_class,missing_type,collection_type,priority,alloc_collection_id,user,collection_name
0,0,1,2,,0,200,,a,b
600000000,0,2,2,,0,200,,a,b
601000000,3,2,2,,0,200,,a,b
602000000,0,3,2,,1,200,,a,b
603000000,0,4,2,,0,200,,a,b
";

pub const GOOGLE_2019_JSON: &str = r#"{"time":"600000000","type":"SUBMIT","collection_id":"2","collection_type":"JOB","priority":"200"}
{"time":"601000000","type":"SCHEDULE","collection_id":"2","collection_type":"JOB","priority":"200"}
{"time":"603000000","type":"SUBMIT","collection_id":"4","collection_type":"JOB","priority":"25"}
"#;

pub const BITBRAINS: &str = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB]
1376314846;\t4;\t11703.99824;\t10912.25;\t93.23333333333333;\t67108864.0;\t6129274.4
1376315146;\t4;\t11703.99824;\t10890.5;\t93.05;\t67108864.0;\t6129274.4
";

pub const MATERNA: &str =
    "\"Timestamp\";\"CPU cores\";\"CPU capacity provisioned [MHZ]\";\"CPU usage [MHZ]\";\"CPU usage [%]\"
\"04.11.2015 18:10:21\";\"2\";\"0\";\"58\";\"1,01\"
\"04.11.2015 18:15:21\";\"2\";\"0\";\"63\";\"1,125\"
";

pub const JMETER_XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testResults version="1.2">
<sample t="210" it="0" lt="180" ct="10" ts="1772445600000" s="true" lb="Login" rc="200" rm="Number of samples in transaction : 2, number of failing samples : 0" tn="T 1-1" dt="" by="200">
  <httpSample t="120" it="0" lt="110" ct="10" ts="1772445600000" s="true" lb="GET /login?a=1&amp;b=2" rc="200" rm="OK" tn="T 1-1" dt="text" by="100">
    <java.net.URL>https://example.com/login?a=1&amp;b=2</java.net.URL>
  </httpSample>
  <httpSample t="80" it="0" lt="70" ct="0" ts="1772445600130" s="true" lb="GET /home" rc="200" rm="OK" tn="T 1-1" dt="text" by="100"/>
</sample>
<httpSample t="2000" it="0" lt="70" ct="0" ts="1772445599000" s="false" lb="GET /slow" rc="500" rm="Error" tn="T 1-2" dt="text" by="100">
  <assertionResult><name>ok</name><failure>true</failure></assertionResult>
  <responseData class="java.lang.String">&lt;p&gt;busy&lt;/p&gt;</responseData>
</httpSample>
</testResults>
"#;

pub const LOCUST: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size
1772445600,1,GET,/a,0.000000,0.000000,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,0,0,0,0.0,0,0,0
1772445600,1,GET,/b,0.000000,0.000000,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,0,0,0,0.0,0,0,0
1772445600,1,,Aggregated,0.000000,0.000000,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,0,0,0,0.0,0,0,0
1772445601,10,GET,/a,2.000000,0.000000,5,5,6,6,7,7,7,7,7,7,7,4,0,5,5.1,4,7,100
1772445601,10,GET,/b,3.000000,0.000000,5,5,6,6,7,7,7,7,7,7,7,3,0,5,5.1,4,7,100
1772445601,10,,Aggregated,5.000000,0.000000,5,5,6,6,7,7,7,7,7,7,7,7,0,5,5.1,4,7,100
1772445602,10,GET,/a,6.000000,0.000000,5,5,6,6,7,7,7,7,7,7,7,14,0,5,5.1,4,7,100
1772445602,10,GET,/b,4.000000,0.000000,5,5,6,6,7,7,7,7,7,7,7,8,0,5,5.1,4,7,100
1772445602,10,,Aggregated,10.000000,0.000000,5,5,6,6,7,7,7,7,7,7,7,22,0,5,5.1,4,7,100
";

pub const GRAFANA: &str = r#"{"results":{"A":{"status":200,"frames":[
{"schema":{"refId":"A","meta":{"type":"timeseries-multi"},"fields":[{"name":"Time","type":"time","typeInfo":{"frame":"time.Time"}},{"name":"Value","type":"number","labels":{"pod":"web-1"},"config":{"displayNameFromDS":"web-1","unit":"reqps"}}]},"data":{"values":[[1772445600000,1772445660000,1772445720000],[12,14,null]]}},
{"schema":{"refId":"A","fields":[{"name":"Time","type":"time"},{"name":"Value","type":"number","labels":{"pod":"web-2"},"config":{"displayNameFromDS":"web-2","unit":"reqps"}}]},"data":{"values":[[1772445600000,1772445660000,1772445720000],[11,10.5,1]]}}
]}}}
"#;

/// The panel inspector's "Data frame JSON", and its "Panel data".
pub const GRAFANA_LIST: &str = r#"[{"schema":{"name":"requests","refId":"A","fields":[{"name":"time","type":"time"},{"name":"requests","type":"number"}]},"data":{"values":[[1772445600000,1772445660000],[720,660]]}}]
"#;
pub const GRAFANA_PANEL: &str = r#"{"state":"Done","series":[{"name":"requests","refId":"A","fields":[{"name":"Time","type":"time","config":{},"values":[1772445600000,1772445660000]},{"name":"requests","type":"number","config":{"displayName":"requests"},"values":[720,660]}],"length":2}]}
"#;

pub const CLOUDWATCH_CONSOLE: &str = "Full label,RequestCount web,RequestCount api
Label,RequestCount,RequestCount
Id,m1,m2
Statistic,Sum,Sum
2026/03/02 10:00:00,720,100
2026/03/02 10:01:00,660,
2026/03/02 10:02:00,700,120
";

pub const GCP_CONSOLE: &str = "TimeSeries ID,projects/p/web,projects/p/api
backend_name,web,api
Mon Mar 02 2026 11:00:00 GMT+0100 (Central European Standard Time),12.5,1
Mon Mar 02 2026 11:01:00 GMT+0100 (Central European Standard Time),13,2
";

pub const GCP: &str = r#"{"timeSeries":[{"metric":{"type":"loadbalancing.googleapis.com/https/request_count","labels":{"response_code_class":"200"}},"resource":{"type":"https_lb_rule"},"metricKind":"DELTA","valueType":"INT64","points":[
{"interval":{"startTime":"2026-03-02T10:01:00Z","endTime":"2026-03-02T10:02:00Z"},"value":{"int64Value":"660"}},
{"interval":{"startTime":"2026-03-02T10:00:00Z","endTime":"2026-03-02T10:01:00Z"},"value":{"int64Value":"720"}}]},
{"metric":{"type":"loadbalancing.googleapis.com/https/request_count","labels":{"response_code_class":"500"}},"resource":{"type":"https_lb_rule"},"metricKind":"DELTA","valueType":"INT64","points":[
{"interval":{"startTime":"2026-03-02T10:00:00Z","endTime":"2026-03-02T10:01:00Z"},"value":{"int64Value":"3"}}]}],"unit":"1"}
"#;

pub const AZURE: &str = r#"{"cost":59,"interval":"PT1M","namespace":"Microsoft.Web/sites","timespan":"2026-03-02T10:00:00Z/2026-03-02T10:03:00Z","value":[{"id":"/x","name":{"localizedValue":"Requests","value":"Requests"},"unit":"Count","timeseries":[{"metadatavalues":[],"data":[
{"timeStamp":"2026-03-02T10:00:00Z","total":720.0},{"timeStamp":"2026-03-02T10:01:00Z","total":660.0},{"timeStamp":"2026-03-02T10:02:00Z"}]}]}]}
"#;

pub const DATADOG: &str = r#"{"status":"ok","res_type":"time_series","series":[{"metric":"trace.http.request.hits","display_name":"trace.http.request.hits","expression":"sum:trace.http.request.hits{service:web}.as_count()","interval":60,"scope":"service:web","pointlist":[[1772445600000.0,720.0],[1772445660000.0,null],[1772445720000.0,660.0]]}],"from_date":1772445600000,"to_date":1772445780000}
"#;

pub const NEW_RELIC: &str = "Begin time,End time,Count
1772445600000,1772445660000,120
1772445660000,1772445720000,121
1772445720000,1772445780000,122
";

/// Every sample, with the format that recognises it.
pub const ALL: &[(&str, &str)] = &[
    ("k6", K6_CSV),
    ("k6", K6_JSON),
    ("jmeter", JMETER),
    ("jmeter-xml", JMETER_XML),
    ("locust", LOCUST),
    ("azure-monitor", AZURE),
    ("gcp-monitoring", GCP),
    ("datadog", DATADOG),
    ("new-relic", NEW_RELIC),
    ("gatling", GATLING),
    ("swf", SWF),
    ("google-cluster", GOOGLE_2011),
    ("google-cluster", GOOGLE_2019),
    ("google-cluster", GOOGLE_2019_JSON),
    ("vm-usage", BITBRAINS),
    ("vm-usage", MATERNA),
];

/// Samples that need options, with their format and the option to state.
pub const ASKED: &[(&str, &str, &str)] = &[
    ("grafana", GRAFANA, "--metric web-1"),
    ("grafana", GRAFANA_LIST, "--values count"),
    ("grafana", GRAFANA_PANEL, "--values level"),
    ("console", CLOUDWATCH_CONSOLE, "--metric * --values count"),
    ("console", GCP_CONSOLE, "--metric api --values rate"),
];
